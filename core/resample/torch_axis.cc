#include "core/resample/torch_axis.h"

#include <algorithm>

#include "core/base/check.h"

namespace nnseg {
namespace {

float Scale(int64_t input, int64_t output) {
  NNSEG_CHECK(input >= 1 && output >= 1);
  return static_cast<float>(input) / static_cast<float>(output);
}

float FusedCoordinate(float scale, int64_t k) {
  return std::max(0.0F, std::fma(scale, static_cast<float>(k) + 0.5F, -0.5F));
}

float Coordinate(float scale, int64_t k) {
  return std::max(0.0F, scale * (static_cast<float>(k) + 0.5F) - 0.5F);
}

void Append(int64_t lower, int64_t upper, float weight1, TorchAxis& axis) {
  axis.lower.push_back(static_cast<int32_t>(lower));
  axis.upper.push_back(static_cast<int32_t>(upper));
  axis.weight0.push_back(1 - weight1);
  axis.weight1.push_back(weight1);
}

}  // namespace

TorchAxis TorchAxis::Linear(int64_t input, int64_t output, bool fused) {
  if (input == output) return NearestExact(input, output);
  const float scale = Scale(input, output);
  TorchAxis axis;
  for (int64_t k = 0; k < output; ++k) {
    const float coordinate = fused ? FusedCoordinate(scale, k) : Coordinate(scale, k);
    const int64_t lower = std::min(static_cast<int64_t>(coordinate), input - 1);
    const float weight1 = std::clamp(coordinate - static_cast<float>(lower), 0.0F, 1.0F);
    Append(lower, std::min(lower + 1, input - 1), weight1, axis);
  }
  return axis;
}

TorchAxis TorchAxis::Part(int64_t begin, int64_t end, int64_t input_begin) const {
  NNSEG_CHECK(0 <= begin && begin <= end && end <= output_length());
  TorchAxis part;
  part.picks = picks;
  for (int64_t k = begin; k < end; ++k) {
    NNSEG_CHECK(lower[k] >= input_begin);
    Append(lower[k] - input_begin, upper[k] - input_begin, weight1[k], part);
  }
  return part;
}

TorchAxis TorchAxis::NearestExact(int64_t input, int64_t output) {
  const float scale = Scale(input, output);
  TorchAxis axis;
  axis.picks = true;
  for (int64_t k = 0; k < output; ++k) {
    const auto nearest = static_cast<int64_t>(std::floor(FusedCoordinate(scale, k) + 0.5F));
    const int64_t index = std::min(nearest, input - 1);
    Append(index, index, 0, axis);
  }
  return axis;
}

}  // namespace nnseg
