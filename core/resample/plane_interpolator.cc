#include "core/resample/plane_interpolator.h"

#include <algorithm>
#include <array>

#include "core/base/check.h"
#include "core/resample/widen.h"

namespace nnseg {
namespace {

// Output rows are made kLanes at a time, one in each lane of a few vectors, so that the taps along
// axis 2 are contiguous loads and one broadcast weight; kColumns sums run side by side to hide the
// latency of the additions.
constexpr int kLanes = 8;
constexpr int kColumns = 4;
constexpr int kMaxPairs = 16;

using Vector4 = double __attribute__((vector_size(32)));
using Vector8 = double __attribute__((vector_size(64)));

// Sums the taps along axis 2. `weighted` is columns x pairs x kLanes; out[lane] are the rows.
template <typename Vector, int kTaps>
[[gnu::always_inline]] inline void SumTaps(const double* weighted, int pairs,
                                           const AxisOperator& axis2,
                                           const std::array<double*, kLanes>& out) {
  constexpr int kVectors = kLanes * sizeof(double) / sizeof(Vector);
  const int64_t length = axis2.output_length();
  for (int64_t k = 0; k < length; k += kColumns) {
    const double* taps[kColumns][kTaps];
    double weights[kColumns][kTaps];
    Vector sum[kColumns][kVectors] = {};
    for (int q = 0; q < kColumns; ++q) {
      const int64_t column = std::min(k + q, length - 1);
      for (int t = 0; t < kTaps; ++t) {
        taps[q][t] = weighted + axis2.indices(column)[t] * pairs * kLanes;
        weights[q][t] = axis2.weights(column)[t];
      }
    }
    for (int pair = 0; pair < pairs; ++pair) {
#pragma GCC unroll 4
      for (int t = 0; t < kTaps; ++t) {
#pragma GCC unroll 4
        for (int q = 0; q < kColumns; ++q) {
          const double* const from = taps[q][t] + pair * kLanes;
#pragma GCC unroll 2
          for (int v = 0; v < kVectors; ++v) {
            Vector value;
            __builtin_memcpy(&value, from + v * kLanes / kVectors, sizeof value);
            sum[q][v] += value * weights[q][t];
          }
        }
      }
    }
    double sums[kColumns][kLanes];
    __builtin_memcpy(sums, sum, sizeof sums);
    const int columns = static_cast<int>(std::min<int64_t>(kColumns, length - k));
    for (int lane = 0; lane < kLanes; ++lane) {
      for (int q = 0; q < columns; ++q) out[lane][k + q] = sums[q][lane];
    }
  }
}

template <typename Vector>
[[gnu::always_inline]] inline void SumAnyTaps(const double* weighted, int pairs,
                                              const AxisOperator& axis2,
                                              const std::array<double*, kLanes>& out) {
  switch (axis2.taps()) {
    case 1:
      return SumTaps<Vector, 1>(weighted, pairs, axis2, out);
    case 2:
      return SumTaps<Vector, 2>(weighted, pairs, axis2, out);
    default:
      return SumTaps<Vector, 4>(weighted, pairs, axis2, out);
  }
}

using SumFunction = void(const double*, int, const AxisOperator&,
                         const std::array<double*, kLanes>&);

void SumAvx2(const double* weighted, int pairs, const AxisOperator& axis2,
             const std::array<double*, kLanes>& out) {
  SumAnyTaps<Vector4>(weighted, pairs, axis2, out);
}

[[gnu::target("avx512f")]] void SumAvx512(const double* weighted, int pairs,
                                          const AxisOperator& axis2,
                                          const std::array<double*, kLanes>& out) {
  SumAnyTaps<Vector8>(weighted, pairs, axis2, out);
}

SumFunction* const kSum = __builtin_cpu_supports("avx512f") ? SumAvx512 : SumAvx2;

int64_t InputColumns(const AxisOperator& axis) {
  int64_t last = 0;
  for (int64_t k = 0; k < axis.output_length(); ++k) {
    last = std::max(last, *std::max_element(axis.indices(k).begin(), axis.indices(k).end()));
  }
  return last + 1;
}

}  // namespace

PlaneInterpolator::PlaneInterpolator(const AxisOperator& axis1, const AxisOperator& axis2)
    : axis1_(axis1), axis2_(axis2), columns_(InputColumns(axis2)) {}

template <typename T>
void PlaneInterpolator::Interpolate(std::span<const PlaneTap<T>> planes, std::span<double> out) {
  const int64_t rows = axis1_.output_length();
  const int64_t row_length = axis2_.output_length();
  const int pairs = static_cast<int>(planes.size()) * axis1_.taps();
  NNSEG_CHECK(pairs >= 1 && pairs <= kMaxPairs);
  NNSEG_CHECK(static_cast<int64_t>(out.size()) == rows * row_length);
  weighted_.resize(static_cast<std::size_t>(columns_ * pairs * kLanes));

  for (int64_t first = 0; first < rows; first += kLanes) {
    // Lanes past the last row repeat it.
    const T* source[kMaxPairs][kLanes];
    double weights0[kMaxPairs];
    double weights1[kMaxPairs][kLanes];
    std::array<double*, kLanes> targets;
    for (int lane = 0; lane < kLanes; ++lane) {
      const int64_t row = std::min(first + lane, rows - 1);
      targets[lane] = out.data() + row * row_length;
      int pair = 0;
      for (const PlaneTap<T>& plane : planes) {
        for (int t = 0; t < axis1_.taps(); ++t, ++pair) {
          source[pair][lane] = plane.data + axis1_.indices(row)[t] * plane.row_stride;
          weights0[pair] = plane.weight;
          weights1[pair][lane] = axis1_.weights(row)[t];
        }
      }
    }
    double* weighted = weighted_.data();
    const int64_t stride = planes[0].column_stride;
    for (int64_t column = 0; column < columns_; ++column) {
      for (int pair = 0; pair < pairs; ++pair, weighted += kLanes) {
        for (int lane = 0; lane < kLanes; ++lane) {
          weighted[lane] =
              Widen(source[pair][lane][column * stride]) * weights0[pair] * weights1[pair][lane];
        }
      }
    }
    kSum(weighted_.data(), pairs, axis2_, targets);
  }
}

template void PlaneInterpolator::Interpolate(std::span<const PlaneTap<float>>, std::span<double>);
template void PlaneInterpolator::Interpolate(std::span<const PlaneTap<double>>, std::span<double>);
template void PlaneInterpolator::Interpolate(std::span<const PlaneTap<Half>>, std::span<double>);

}  // namespace nnseg
