#include "core/resample/plane_interpolator.h"

#include <immintrin.h>

#include <algorithm>
#include <type_traits>

#include "core/base/check.h"
#include "core/base/instruction_set.h"
#include "core/resample/transpose_block.h"
#include "core/resample/widen.h"

namespace nnseg {
namespace {

// Output rows are made kLanes at a time, one in each lane of a few vectors, so that the taps along
// axis 2 are contiguous loads and one broadcast weight; kColumns sums run side by side to hide the
// latency of the additions. Columns are made in runs, so that all that a run is made of stays in
// the first cache.
constexpr int kLanes = 8;
constexpr int kColumns = 4;
constexpr int kMaxPlanes = 4;
constexpr int kMaxPairs = 16;
constexpr int64_t kRunBytes = int64_t{32} << 10;

// The input rows that kLanes output rows are made of: one for each tap of axes 0 and 1.
template <typename T>
struct Sources {
  int pairs = 0;
  int64_t column_stride = 1;
  const T* rows[kMaxPairs][kLanes];
  double weights0[kMaxPairs];
  double weights1[kMaxPairs][kLanes];
};

// Where a group of output rows goes: the first `lanes` of them.
struct Target {
  double* rows;
  int64_t row_length;
  int lanes;
};

// The numbers of four rows at two columns, turned: `even` are those of the first column.
struct Turned {
  __m256d even, odd;

  Turned(const double* const* rows, int64_t column) {
    // Two rows in one vector, so that one shuffle completes a column.
    const auto load = [&](int lower, int upper) {
      return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(rows[lower] + column)),
                                  _mm_loadu_pd(rows[upper] + column), 1);
    };
    const __m256d rows02 = load(0, 2);
    const __m256d rows13 = load(1, 3);
    even = _mm256_unpacklo_pd(rows02, rows13);
    odd = _mm256_unpackhi_pd(rows02, rows13);
  }
};

// to[column * pairs * kLanes + lane] = rows[lane][column] * weight0 * weights1[lane].
void WeighRows(const double* const* rows, int64_t span, double weight0, const double* weights1,
               int pairs, double* to) {
  const __m256d along0 = _mm256_set1_pd(weight0);
  const int64_t stride = pairs * kLanes;
  for (int lane = 0; lane < kLanes; lane += 4, rows += 4, to += 4) {
    const __m256d along1 = _mm256_loadu_pd(weights1 + lane);
    const auto store = [&](__m256d values, int64_t column) {
      _mm256_storeu_pd(to + column * stride, _mm256_mul_pd(_mm256_mul_pd(values, along0), along1));
    };
    for (int64_t column = 0; column + 2 <= span; column += 2) {
      const Turned turned(rows, column);
      store(turned.even, column);
      store(turned.odd, column + 1);
    }
    if (const int64_t last = span - 1; span % 2 != 0) {
      store(_mm256_setr_pd(rows[0][last], rows[1][last], rows[2][last], rows[3][last]), last);
    }
  }
}

// weighted[column][pair][lane] of the input columns [first, first + span). `widened` is memory for
// kLanes rows of `span` numbers.
template <typename T>
void Weigh(const Sources<T>& sources, int64_t first, int64_t span, double* widened,
           double* weighted) {
  for (int pair = 0; pair < sources.pairs; ++pair) {
    const double* rows[kLanes];
    for (int lane = 0; lane < kLanes; ++lane) {
      const T* const from = sources.rows[pair][lane] + first * sources.column_stride;
      if constexpr (std::is_same_v<T, double>) {
        if (sources.column_stride == 1) {
          rows[lane] = from;
          continue;
        }
      }
      double* const to = widened + lane * span;
      if (sources.column_stride == 1) {
        for (int64_t i = 0; i < span; ++i) to[i] = Widen(from[i]);
      } else {
        for (int64_t i = 0; i < span; ++i) to[i] = Widen(from[i * sources.column_stride]);
      }
      rows[lane] = to;
    }
    WeighRows(rows, span, sources.weights0[pair], sources.weights1[pair], sources.pairs,
              weighted + pair * kLanes);
  }
}

// Sums the taps of the output columns [begin, end) along axis 2. `weighted` starts at the input
// column `first`.
template <typename Vector, int kTaps>
[[gnu::always_inline]] inline void SumTaps(const double* weighted, int pairs, int64_t first,
                                           const AxisOperator& axis2, int64_t begin, int64_t end,
                                           const Target& out) {
  constexpr int kVectors = kLanes * sizeof(double) / sizeof(Vector);
  for (int64_t k = begin; k < end; k += kColumns) {
    const double* taps[kColumns][kTaps];
    double weights[kColumns][kTaps];
    Vector sum[kColumns][kVectors] = {};
    for (int q = 0; q < kColumns; ++q) {
      const int64_t column = std::min(k + q, end - 1);
      for (int t = 0; t < kTaps; ++t) {
        taps[q][t] = weighted + (axis2.indices(column)[t] - first) * pairs * kLanes;
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
    TransposeBlock(sums[0], kLanes, std::min<int64_t>(kColumns, end - k), out.lanes, out.rows + k,
                   out.row_length);
  }
}

template <typename Vector>
[[gnu::always_inline]] inline void SumAnyTaps(const double* weighted, int pairs, int64_t first,
                                              const AxisOperator& axis2, int64_t begin, int64_t end,
                                              const Target& out) {
  switch (axis2.taps()) {
    case 1:
      return SumTaps<Vector, 1>(weighted, pairs, first, axis2, begin, end, out);
    case 2:
      return SumTaps<Vector, 2>(weighted, pairs, first, axis2, begin, end, out);
    default:
      return SumTaps<Vector, 4>(weighted, pairs, first, axis2, begin, end, out);
  }
}

using SumFunction = void(const double*, int, int64_t, const AxisOperator&, int64_t, int64_t,
                         const Target&);

void SumAvx2(const double* weighted, int pairs, int64_t first, const AxisOperator& axis2,
             int64_t begin, int64_t end, const Target& out) {
  SumAnyTaps<Double4>(weighted, pairs, first, axis2, begin, end, out);
}

[[gnu::target("avx512f")]] void SumAvx512(const double* weighted, int pairs, int64_t first,
                                          const AxisOperator& axis2, int64_t begin, int64_t end,
                                          const Target& out) {
  SumAnyTaps<Double8>(weighted, pairs, first, axis2, begin, end, out);
}

}  // namespace

PlaneInterpolator::PlaneInterpolator(const AxisOperator& axis1, const AxisOperator& axis2)
    : axis1_(axis1), axis2_(axis2) {
  const int64_t pairs = kMaxPlanes * axis1.taps();
  const int64_t limit = kRunBytes / (pairs * kLanes * static_cast<int64_t>(sizeof(double)));
  int64_t longest = 0;
  // Neither the first nor the last tap ever moves backwards.
  for (int64_t k = 0; k < axis2.output_length(); k += kColumns) {
    const int64_t end = std::min(k + kColumns, axis2.output_length());
    const int64_t last = axis2.indices(end - 1).back();
    if (runs_.empty() || last - runs_.back().first >= limit) {
      runs_.push_back({.begin = k, .first = axis2.indices(k).front()});
    }
    runs_.back().end = end;
    runs_.back().span = last + 1 - runs_.back().first;
    longest = std::max(longest, runs_.back().span);
  }
  widened_.resize(static_cast<std::size_t>(longest * kLanes));
  weighted_.resize(static_cast<std::size_t>(longest * pairs * kLanes));
}

template <typename T>
void PlaneInterpolator::Interpolate(std::span<const PlaneTap<T>> planes, std::span<double> out) {
  const int64_t rows = axis1_.output_length();
  const int64_t row_length = axis2_.output_length();
  NNSEG_CHECK(!planes.empty() && planes.size() <= kMaxPlanes);
  NNSEG_CHECK(static_cast<int64_t>(out.size()) == rows * row_length);
  SumFunction* const sum = UsableInstructionSet() == InstructionSet::kAvx512 ? SumAvx512 : SumAvx2;
  Sources<T> sources;
  sources.pairs = static_cast<int>(planes.size()) * axis1_.taps();
  sources.column_stride = planes[0].column_stride;
  for (int64_t first = 0; first < rows; first += kLanes) {
    // Lanes past the last row repeat it.
    for (int lane = 0; lane < kLanes; ++lane) {
      const int64_t row = std::min(first + lane, rows - 1);
      int pair = 0;
      for (const PlaneTap<T>& plane : planes) {
        for (int t = 0; t < axis1_.taps(); ++t, ++pair) {
          sources.rows[pair][lane] = plane.data + axis1_.indices(row)[t] * plane.row_stride;
          sources.weights0[pair] = plane.weight;
          sources.weights1[pair][lane] = axis1_.weights(row)[t];
        }
      }
    }
    const Target target{out.data() + first * row_length, row_length,
                        static_cast<int>(std::min<int64_t>(kLanes, rows - first))};
    for (const Run& run : runs_) {
      Weigh(sources, run.first, run.span, widened_.data(), weighted_.data());
      sum(weighted_.data(), sources.pairs, run.first, axis2_, run.begin, run.end, target);
    }
  }
}

template void PlaneInterpolator::Interpolate(std::span<const PlaneTap<float>>, std::span<double>);
template void PlaneInterpolator::Interpolate(std::span<const PlaneTap<double>>, std::span<double>);
template void PlaneInterpolator::Interpolate(std::span<const PlaneTap<Half>>, std::span<double>);

}  // namespace nnseg
