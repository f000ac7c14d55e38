#include "core/resample/spline_prefilter.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <vector>

#include "core/base/parallel_for.h"
#include "core/resample/transpose_block.h"
#include "core/resample/widen.h"

namespace nnseg {
namespace {

constexpr int64_t kLanes = kPrefilterLanes;

// Memory for kLanes lines side by side, as PrefilterLines takes them.
class Lines {
 public:
  // Lines of at most `count` samples.
  explicit Lines(int64_t count)
      : rows_(static_cast<std::size_t>((count + 2 * kSplineMargin) * kLanes)) {}

  // Sample 0 of all lines.
  double* first() { return rows_.data() + kSplineMargin * kLanes; }
  // The outermost coefficient of all lines.
  double* outer() { return rows_.data(); }

  // Repeats the last of `lines` lines in those that are left, from row `from` on.
  void Fill(double* from, int64_t count, int64_t lines) {
    for (int64_t i = 0; lines < kLanes && i < count; ++i) {
      double* const row = from + i * kLanes;
      std::fill(row + lines, row + kLanes, row[lines - 1]);
    }
  }

 private:
  std::vector<double> rows_;
};

// Lines of the input side by side: sample i of line j is data[i * sample_stride + j * line_stride].
template <typename T>
struct Sheet {
  const T* data;
  int64_t sample_stride;
  int64_t line_stride;
};

// Widens `lines` <= kLanes lines of `count` samples into rows of `to`; `turned` is memory.
template <typename T>
void Gather(const Sheet<T>& from, int64_t count, int64_t lines, std::vector<double>& turned,
            double* to) {
  if (from.line_stride == 1) {
    for (int64_t i = 0; i < count; ++i) {
      const T* const row = from.data + i * from.sample_stride;
      for (int64_t j = 0; j < lines; ++j) to[i * kLanes + j] = Widen(row[j]);
    }
    return;
  }
  turned.resize(static_cast<std::size_t>(kLanes * count));
  for (int64_t j = 0; j < lines; ++j) {
    const T* const line = from.data + j * from.line_stride;
    double* const row = turned.data() + j * count;
    if (from.sample_stride == 1) {
      for (int64_t i = 0; i < count; ++i) row[i] = Widen(line[i]);
    } else {
      for (int64_t i = 0; i < count; ++i) row[i] = Widen(line[i * from.sample_stride]);
    }
  }
  TransposeBlock(turned.data(), count, lines, count, to, kLanes);
}

double LargestMagnitude(const double* rows, int64_t count) {
  double largest[kLanes] = {};
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < kLanes; ++j) {
      const double magnitude = std::abs(rows[i * kLanes + j]);
      largest[j] = magnitude > largest[j] ? magnitude : largest[j];
    }
  }
  return *std::max_element(largest, largest + kLanes);
}

// From the image into the middle of the coefficients' planes, filtered along axis 0 or not. Returns
// the largest magnitude of the image.
template <typename T>
double FilterAxis0(const VolumeView<const T>& image, bool filtered, const Index3& middle,
                   const VolumeView<double>& out) {
  double bound = 0;
  std::mutex mu;
  ParallelFor(image.shape[1], [&](int64_t begin, int64_t end) {
    Lines lines(image.shape[0]);
    std::vector<double> turned;
    double largest = 0;
    for (int64_t y = begin; y < end; ++y) {
      for (int64_t x = 0; x < image.shape[2]; x += kLanes) {
        const int64_t width = std::min(kLanes, image.shape[2] - x);
        Gather<T>({&image.at({{0, y, x}}), image.strides[0], image.strides[2]}, image.shape[0],
                  width, turned, lines.first());
        lines.Fill(lines.first(), image.shape[0], width);
        const double of_these = LargestMagnitude(lines.first(), image.shape[0]);
        largest = std::max(largest, of_these);
        if (filtered) PrefilterLines(lines.first(), kLanes, image.shape[0], of_these);
        const double* row = filtered ? lines.outer() : lines.first();
        for (int64_t z = 0; z < out.shape[0]; ++z, row += kLanes) {
          std::copy_n(row, width, &out.at({{z, y + middle[1], x + middle[2]}}));
        }
      }
    }
    std::lock_guard lock(mu);
    bound = std::max(bound, largest);
  });
  return bound;
}

// Along axis 1 of a plane, in place: `rows` rows of `columns` samples.
void FilterColumns(double* first, int64_t stride, int64_t rows, int64_t columns, double bound,
                   Lines& lines) {
  int64_t x = 0;
  for (; x + kLanes <= columns; x += kLanes) PrefilterLines(first + x, stride, rows, bound);
  const int64_t width = columns - x;
  if (width == 0) return;
  for (int64_t y = 0; y < rows; ++y) {
    std::copy_n(first + x + y * stride, width, lines.first() + y * kLanes);
  }
  lines.Fill(lines.first(), rows, width);
  PrefilterLines(lines.first(), kLanes, rows, bound);
  for (int64_t y = -kSplineMargin; y < rows + kSplineMargin; ++y) {
    std::copy_n(lines.first() + y * kLanes, width, first + x + y * stride);
  }
}

// Along axis 2 of a plane, in place: `rows` rows of `columns` samples.
void FilterRows(double* first, int64_t stride, int64_t rows, int64_t columns, double bound,
                Lines& lines) {
  for (int64_t y = 0; y < rows; y += kLanes) {
    const int64_t width = std::min(kLanes, rows - y);
    double* const row = first + y * stride;
    TransposeBlock(row, stride, width, columns, lines.first(), kLanes);
    lines.Fill(lines.first(), columns, width);
    PrefilterLines(lines.first(), kLanes, columns, bound);
    TransposeBlock(lines.outer(), kLanes, columns + 2 * kSplineMargin, width, row - kSplineMargin,
                   stride);
  }
}

}  // namespace

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
  const VolumeView<double> out = ViewOf(coefficients, 0);
  double bound = FilterAxis0(image, filtered[0], middle, out);
  if (filtered[0]) bound *= kPrefilterGrowth;
  ParallelFor(shape[0], [&](int64_t begin, int64_t end) {
    Lines lines(std::max(image.shape[1], image.shape[2]));
    for (int64_t z = begin; z < end; ++z) {
      double* const first = &out.at({{z, middle[1], middle[2]}});
      double within = bound;
      if (filtered[1]) {
        FilterColumns(first, shape[2], image.shape[1], image.shape[2], within, lines);
        within *= kPrefilterGrowth;
      }
      if (filtered[2]) {
        FilterRows(&out.at({{z, 0, middle[2]}}), shape[2], shape[1], image.shape[2], within, lines);
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
