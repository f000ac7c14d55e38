#include "core/resample/spline_prefilter.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/check.h"
#include "core/base/parallel_for.h"
#include "core/resample/widen.h"

namespace nnseg {
namespace {

constexpr int64_t kLanes = kPrefilterLanes;

// Lines side by side: sample i of line j is data[i * sample_stride + j * line_stride].
template <typename T>
struct Sheet {
  T* data;
  int64_t sample_stride;
  int64_t line_stride;
};

// Filters `lines` lines of `length` samples of `from` into `to`, which is longer by kSplineMargin
// on both sides. The two may overlap in memory as long as each line overlaps only itself.
template <typename T>
void FilterSheet(Sheet<T> from, Sheet<double> to, int64_t length, int64_t lines,
                 std::vector<double>& scratch) {
  scratch.resize(static_cast<std::size_t>((length + 2 * kSplinePadding) * kLanes));
  double* const first = scratch.data() + kSplinePadding * kLanes;
  double* const last = first + (length - 1) * kLanes;
  for (int64_t line = 0; line < lines; line += kLanes) {
    const int64_t lanes = std::min(kLanes, lines - line);
    const T* const source = from.data + line * from.line_stride;
    for (int64_t i = 0; i < length; ++i) {
      for (int64_t j = 0; j < lanes; ++j) {
        first[i * kLanes + j] = Widen(source[i * from.sample_stride + j * from.line_stride]);
      }
    }
    for (int64_t i = 1; i <= kSplinePadding; ++i) {
      std::copy_n(first, kLanes, first - i * kLanes);
      std::copy_n(last, kLanes, last + i * kLanes);
    }
    PrefilterLines(scratch);
    const double* const kept = first - kSplineMargin * kLanes;
    double* const target = to.data + line * to.line_stride;
    for (int64_t i = 0; i < length + 2 * kSplineMargin; ++i) {
      for (int64_t j = 0; j < lanes; ++j) {
        target[i * to.sample_stride + j * to.line_stride] = kept[i * kLanes + j];
      }
    }
  }
}

}  // namespace

void PrefilterLines(std::span<double> lines) {
  constexpr double kPole = -0.267949192431122706;  // sqrt(3) - 2
  constexpr double kGain = (1 - kPole) * (1 - 1 / kPole);
  NNSEG_CHECK(lines.size() % kLanes == 0 && !lines.empty());
  const auto length = static_cast<int64_t>(lines.size()) / kLanes;
  double* const c = lines.data();
  for (double& value : lines) value *= kGain;

  // The first coefficient, for a line that is mirrored at both ends without end.
  const double* const end = c + (length - 1) * kLanes;
  const double pole_n = std::pow(kPole, static_cast<double>(length));
  const double correction = kPole / (1 - pole_n * pole_n);
  double start[kLanes];
  for (int64_t j = 0; j < kLanes; ++j) start[j] = c[j] + pole_n * end[j];
  double power = kPole;
  for (int64_t i = 1; i < length && power != 0; ++i) {  // adding 0 changes nothing
    const double* const up = c + i * kLanes;
    const double* const down = end - i * kLanes;
    for (int64_t j = 0; j < kLanes; ++j) start[j] += power * (up[j] + pole_n * down[j]);
    power *= kPole;
  }
  for (int64_t j = 0; j < kLanes; ++j) c[j] = start[j] * correction + c[j];

  for (int64_t i = 1; i < length; ++i) {
    double* const row = c + i * kLanes;
    for (int64_t j = 0; j < kLanes; ++j) row[j] += kPole * row[j - kLanes];
  }
  double* const tail = c + (length - 1) * kLanes;
  for (int64_t j = 0; j < kLanes; ++j) tail[j] *= kPole / (kPole - 1);
  for (int64_t i = length - 2; i >= 0; --i) {
    double* const row = c + i * kLanes;
    for (int64_t j = 0; j < kLanes; ++j) row[j] = kPole * (row[j + kLanes] - row[j]);
  }
}

template <typename T>
Volume<double> SplineCoefficients(const VolumeView<const T>& image,
                                  const std::array<bool, 3>& filtered) {
  Shape3 shape = image.shape;
  Index3 middle{};
  for (int axis = 0; axis < 3; ++axis) {
    if (!filtered[axis]) continue;
    shape[axis] += 2 * kSplineMargin;
    middle[axis] = kSplineMargin;
  }
  auto coefficients = Volume<double>::Uninitialized(1, shape);
  const int64_t plane = shape.strides()[0], row = shape.strides()[1], column = 1;
  double* const data = coefficients.channel(0).data();

  // Axis 0 first, from the image into the middle of the coefficients' planes.
  ParallelFor(image.shape[1], [&](int64_t begin, int64_t end) {
    std::vector<double> scratch;
    for (int64_t y = begin; y < end; ++y) {
      const T* const from = image.data + y * image.strides[1];
      double* const to = data + (y + middle[1]) * row + middle[2];
      if (filtered[0]) {
        FilterSheet<const T>({from, image.strides[0], image.strides[2]}, {to, plane, column},
                             image.shape[0], image.shape[2], scratch);
      } else {
        for (int64_t z = 0; z < image.shape[0]; ++z) {
          for (int64_t x = 0; x < image.shape[2]; ++x) {
            to[z * plane + x] = Widen(from[z * image.strides[0] + x * image.strides[2]]);
          }
        }
      }
    }
  });
  // Then axes 1 and 2 within each plane, in place.
  ParallelFor(shape[0], [&](int64_t begin, int64_t end) {
    std::vector<double> scratch;
    for (int64_t z = begin; z < end; ++z) {
      double* const corner = data + z * plane;
      if (filtered[1]) {
        double* const to = corner + middle[2];
        FilterSheet<double>({to + kSplineMargin * row, row, column}, {to, row, column},
                            image.shape[1], image.shape[2], scratch);
      }
      if (filtered[2]) {
        FilterSheet<double>({corner + kSplineMargin, column, row}, {corner, column, row},
                            image.shape[2], shape[1], scratch);
      }
    }
  });
  return coefficients;
}

template Volume<double> SplineCoefficients(const VolumeView<const float>&,
                                           const std::array<bool, 3>&);
template Volume<double> SplineCoefficients(const VolumeView<const double>&,
                                           const std::array<bool, 3>&);
template Volume<double> SplineCoefficients(const VolumeView<const Half>&,
                                           const std::array<bool, 3>&);

}  // namespace nnseg
