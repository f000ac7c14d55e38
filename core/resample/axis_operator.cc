#include "core/resample/axis_operator.h"

#include <algorithm>
#include <cmath>

#include "core/base/check.h"
#include "core/resample/spline_prefilter.h"

namespace nnseg {

AxisOperator AxisOperator::Part(int64_t begin, int64_t end, int64_t input_begin) const {
  NNSEG_CHECK(0 <= begin && begin <= end && end <= output_length());
  AxisOperator part(taps_);
  part.indices_.assign(indices_.begin() + begin * taps_, indices_.begin() + end * taps_);
  part.weights_.assign(weights_.begin() + begin * taps_, weights_.begin() + end * taps_);
  for (int64_t& index : part.indices_) {
    index -= input_begin;
    NNSEG_CHECK(index >= 0);
  }
  return part;
}

AxisOperator AxisOperator::Identity(int64_t length) { return Resize(length, length, 0); }

AxisOperator AxisOperator::Resize(int64_t input, int64_t output, int order) {
  NNSEG_CHECK(input >= 1 && output >= 1);
  NNSEG_CHECK(order == 0 || order == 1 || order == 3);
  // At integer coordinates the second linear weight is 0, so the nearest sample is the whole sum.
  if (order == 1 && input == output) order = 0;

  AxisOperator op(order + 1);
  const double scale = static_cast<double>(input) / static_cast<double>(output);
  for (int64_t k = 0; k < output; ++k) {
    const double coordinate = (static_cast<double>(k) + 0.5) * scale - 0.5;
    const auto add = [&](double index, double weight) {
      op.indices_.push_back(static_cast<int64_t>(index));
      op.weights_.push_back(weight);
    };
    const double last = static_cast<double>(input - 1);
    if (order == 0) {
      add(std::clamp(std::floor(coordinate + 0.5), 0.0, last), 1);
    } else if (order == 1) {
      const double floor = std::floor(coordinate);
      const double w0 = 1 - (coordinate - floor);
      add(std::clamp(floor, 0.0, last), w0);
      add(std::clamp(floor + 1, 0.0, last), 1 - w0);
    } else {
      const double padded = coordinate + kSplinePadding;
      const double floor = std::floor(padded);
      const double y = padded - floor;
      const double q = 1 - y;
      const double w1 = (y * y * (y - 2) * 3 + 4) / 6;
      const double w2 = (q * q * (q - 2) * 3 + 4) / 6;
      const double w0 = q * q * q / 6;
      const double w3 = 1 - w0 - w1 - w2;
      const double first = floor - 1 - kSplinePadding + kSplineMargin;
      add(first, w0);
      add(first + 1, w1);
      add(first + 2, w2);
      add(first + 3, w3);
    }
  }
  return op;
}

}  // namespace nnseg
