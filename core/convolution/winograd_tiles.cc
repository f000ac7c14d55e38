#include "core/convolution/winograd_tiles.h"

#include <immintrin.h>

#include <algorithm>
#include <cstdint>

#include "core/base/check.h"

namespace nnseg {
namespace {

// Vectors hold one value of each tile, tiles in the order 0, 1, 4, 5, 2, 3, 6, 7: what one shuffle
// makes of sixteen neighbours, and one unpacking turns back.
using Floats = __m256;
constexpr int64_t kLanes = 8;

// Rows of the transform of a kernel, at points 0, 1, -1 and infinity.
constexpr double kKernelTransform[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};

Floats FirstOfPairs(Floats a, Floats b) { return _mm256_shuffle_ps(a, b, 0b10001000); }
Floats SecondOfPairs(Floats a, Floats b) { return _mm256_shuffle_ps(a, b, 0b11011101); }

// Four neighbouring inputs along one axis at the points of that axis.
void TransformInputs(Floats& d0, Floats& d1, Floats& d2, Floats& d3) {
  const Floats sum = _mm256_add_ps(d1, d2);
  const Floats difference = _mm256_sub_ps(d2, d1);
  d0 = _mm256_sub_ps(d0, d2);
  d3 = _mm256_sub_ps(d1, d3);
  d1 = sum;
  d2 = difference;
}

// The same for vectors of sixteen lanes, which only code of that target may hold.
[[gnu::target("avx512f")]] inline void TransformWideInputs(__m512& d0, __m512& d1, __m512& d2,
                                                           __m512& d3) {
  const __m512 sum = _mm512_add_ps(d1, d2);
  const __m512 difference = _mm512_sub_ps(d2, d1);
  d0 = _mm512_sub_ps(d0, d2);
  d3 = _mm512_sub_ps(d1, d3);
  d1 = sum;
  d2 = difference;
}

[[gnu::target("avx512f,avx512vl,avx512bf16")]] inline void StoreBf16(__m512 values, float* words) {
  _mm256_storeu_ps(words, reinterpret_cast<__m256>(_mm512_cvtneps_pbh(values)));
}

// Two neighbouring outputs along one axis from the points of that axis.
void TransformPoints(Floats p0, Floats p1, Floats p2, Floats p3, Floats& first, Floats& second) {
  first = _mm256_add_ps(p0, _mm256_add_ps(p1, p2));
  second = _mm256_sub_ps(_mm256_sub_ps(p1, p2), p3);
}

// -1 in the lanes whose column, `first` and its neighbours, lies in [0, width).
__m256i ColumnsWithin(int64_t first, int64_t width) {
  const __m256i columns = _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
                                           _mm256_set1_epi32(static_cast<int>(first)));
  return _mm256_and_si256(_mm256_cmpgt_epi32(columns, _mm256_set1_epi32(-1)),
                          _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(width)), columns));
}

// Where the four vectors begin from which the inputs of eight tiles along axis 2 are made.
constexpr int64_t kInputOffsets[4] = {0, kLanes, 2, kLanes + 2};

// Inputs of a row of tiles along axis 2, at the points of that axis.
template <typename Load>
void TransformRow(const Load& load, Floats* points) {
  const Floats a = load(0);
  const Floats b = load(1);
  const Floats c = load(2);
  const Floats d = load(3);
  points[0] = FirstOfPairs(a, b);
  points[1] = SecondOfPairs(a, b);
  points[2] = FirstOfPairs(c, d);
  points[3] = SecondOfPairs(c, d);
  TransformInputs(points[0], points[1], points[2], points[3]);
}

void AddTo(__m256 values, double* sums) {
  const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(values));
  const __m256d high = _mm256_cvtps_pd(_mm256_extractf128_ps(values, 1));
  _mm256_storeu_pd(sums, _mm256_add_pd(_mm256_loadu_pd(sums), _mm256_add_pd(low, high)));
}

}  // namespace

void WinogradTiles::TransformKernel(int depth, std::span<const float> kernel,
                                    std::span<float> points) {
  NNSEG_CHECK(static_cast<int64_t>(points.size()) == Points(depth));
  NNSEG_CHECK(std::ssize(kernel) == depth * 9);
  constexpr double kIdentity[1][3] = {{1, 0, 0}};
  const auto* const along_axis0 = depth == 3 ? kKernelTransform : kIdentity;
  for (std::size_t point = 0; point < points.size(); ++point) {
    double sum = 0;
    for (int i = 0; i < depth; ++i) {
      for (int j = 0; j < 3; ++j) {
        for (int k = 0; k < 3; ++k) {
          sum += along_axis0[point / 16][i] * kKernelTransform[point / 4 % 4][j] *
                 kKernelTransform[point % 4][k] * static_cast<double>(kernel[(i * 3 + j) * 3 + k]);
        }
      }
    }
    points[point] = static_cast<float>(sum);
  }
}

WinogradTiles::WinogradTiles(const Shape3& volume, int depth, const Index3& first)
    : volume_(volume),
      depth_(depth),
      first_(first),
      inner_(first[2] > 0 && first[2] + kWidth < volume[2]) {}

void WinogradTiles::TransformInput(const float* channel, float* points, int64_t stride) const {
  const int planes = input_planes();
  const Index3 begin = first_input();
  __m256i within[4];
  for (int i = 0; i < 4; ++i) within[i] = ColumnsWithin(begin[2] + kInputOffsets[i], volume_[2]);
  Floats at[kDeepPlanes][4][4];  // inputs along axis 0, points along the others
  for (int i = 0; i < planes; ++i) {
    for (int j = 0; j < 4; ++j) {
      const Index3 row = begin + Index3{{i, j, 0}};
      if (!HasRow(row)) {
        std::fill_n(at[i][j], 4, _mm256_setzero_ps());
        continue;
      }
      const float* const inputs = channel + OffsetOf(row);
      if (inner_) {
        TransformRow([&](int k) { return _mm256_loadu_ps(inputs + kInputOffsets[k]); }, at[i][j]);
      } else {
        TransformRow(
            [&](int k) { return _mm256_maskload_ps(inputs + kInputOffsets[k], within[k]); },
            at[i][j]);
      }
    }
    for (int k = 0; k < 4; ++k) TransformInputs(at[i][0][k], at[i][1][k], at[i][2][k], at[i][3][k]);
  }
  for (int j = 0; j < 4; ++j) {
    for (int k = 0; k < 4; ++k) {
      float* const to = points + (j * 4 + k) * stride;
      if (planes == 1) {
        _mm256_storeu_ps(to, at[0][j][k]);
        continue;
      }
      for (int tile = 0; tile < 2; ++tile) {
        Floats inputs[4];
        for (int i = 0; i < 4; ++i) inputs[i] = at[2 * tile + i][j][k];
        TransformInputs(inputs[0], inputs[1], inputs[2], inputs[3]);
        for (int i = 0; i < 4; ++i) {
          _mm256_storeu_ps(to + i * 16 * stride + tile * kTiles, inputs[i]);
        }
      }
    }
  }
}

[[gnu::target("avx512f,avx512vl,avx512bf16")]] void WinogradTiles::TransformInputPair(
    const float* first, const float* second, float* points, int64_t stride) const {
  const int planes = input_planes();
  const Index3 begin = first_input();
  // Columns of the row that the two vectors below hold, as bits.
  __mmask16 within[2];
  for (int i = 0; i < 2; ++i) {
    const int64_t column = begin[2] + 2 * i;
    const int64_t skipped = std::clamp<int64_t>(-column, 0, 16);
    const int64_t end = std::clamp<int64_t>(volume_[2] - column, 0, 16);
    within[i] = static_cast<__mmask16>((0xFFFFU << skipped) & ((1U << end) - 1));
  }
  const __m512i even = _mm512_setr_epi32(0, 16, 2, 18, 8, 24, 10, 26, 4, 20, 6, 22, 12, 28, 14, 30);
  const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
  __m512 at[kDeepPlanes][4][4];  // inputs along axis 0, points along the others
  for (int i = 0; i < planes; ++i) {
    for (int j = 0; j < 4; ++j) {
      const Index3 row = begin + Index3{{i, j, 0}};
      if (!HasRow(row)) {
        for (__m512& point : at[i][j]) point = _mm512_setzero_ps();
        continue;
      }
      const float* const a = first + OffsetOf(row);
      const float* const b = second + OffsetOf(row);
      const __m512 a0 = _mm512_maskz_loadu_ps(within[0], a);
      const __m512 b0 = _mm512_maskz_loadu_ps(within[0], b);
      const __m512 a2 = _mm512_maskz_loadu_ps(within[1], a + 2);
      const __m512 b2 = _mm512_maskz_loadu_ps(within[1], b + 2);
      const __m512 d0 = _mm512_permutex2var_ps(a0, even, b0);
      const __m512 d1 = _mm512_permutex2var_ps(a0, odd, b0);
      const __m512 d2 = _mm512_permutex2var_ps(a2, even, b2);
      const __m512 d3 = _mm512_permutex2var_ps(a2, odd, b2);
      at[i][j][0] = _mm512_sub_ps(d0, d2);
      at[i][j][1] = _mm512_add_ps(d1, d2);
      at[i][j][2] = _mm512_sub_ps(d2, d1);
      at[i][j][3] = _mm512_sub_ps(d1, d3);
    }
    for (int k = 0; k < 4; ++k) {
      TransformWideInputs(at[i][0][k], at[i][1][k], at[i][2][k], at[i][3][k]);
    }
  }
  for (int j = 0; j < 4; ++j) {
    for (int k = 0; k < 4; ++k) {
      float* const to = points + (j * 4 + k) * stride;
      if (planes == 1) {
        StoreBf16(at[0][j][k], to);
        continue;
      }
      for (int tile = 0; tile < 2; ++tile) {
        __m512 inputs[4];
        for (int i = 0; i < 4; ++i) inputs[i] = at[2 * tile + i][j][k];
        TransformWideInputs(inputs[0], inputs[1], inputs[2], inputs[3]);
        for (int i = 0; i < 4; ++i) StoreBf16(inputs[i], to + i * 16 * stride + tile * kTiles);
      }
    }
  }
}

void WinogradTiles::Prefetch(const float* channel) const {
  const Index3 begin = first_input();
  for (int i = 0; i < input_planes(); ++i) {
    for (int j = 0; j < 4; ++j) {
      const Index3 row = begin + Index3{{i, j, 0}};
      if (!HasRow(row)) continue;
      const float* const inputs = channel + OffsetOf(row);
      _mm_prefetch(inputs, _MM_HINT_T0);
      _mm_prefetch(inputs + kWidth, _MM_HINT_T0);
    }
  }
}

void WinogradTiles::CombinePlanes(const float* points, int64_t stride, int64_t count, float* first,
                                  float* second) {
  for (int64_t n = 0; n < count; n += kLanes) {
    const auto load = [&](int i) { return _mm256_loadu_ps(points + i * stride + n); };
    Floats outputs[2];
    TransformPoints(load(0), load(1), load(2), load(3), outputs[0], outputs[1]);
    _mm256_storeu_ps(first + n, outputs[0]);
    _mm256_storeu_ps(second + n, outputs[1]);
  }
}

void WinogradTiles::TransformOutput(const float* points, int64_t stride, float bias,
                                    bool past_caches, float* channel, ChannelSums& sums) const {
  const int64_t depth = std::min(TileDepth(depth_), volume_[0] - first_[0]);
  const int64_t height = std::min<int64_t>(2, volume_[1] - first_[1]);
  const int64_t width = std::min(kWidth, volume_[2] - first_[2]);
  const bool whole = width == kWidth;
  // Then every row of outputs is one line of the cache.
  constexpr std::uintptr_t kLine = kWidth * sizeof(float);
  const bool streams = past_caches && whole && volume_[2] % kWidth == 0 &&
                       reinterpret_cast<std::uintptr_t>(channel) % kLine == 0;
  const __m256i within[2] = {ColumnsWithin(0, width), ColumnsWithin(kLanes, width)};
  const Floats biases = _mm256_set1_ps(bias);
  Floats differences = _mm256_setzero_ps();
  Floats squares = _mm256_setzero_ps();
  for (int64_t i = 0; i < depth; ++i) {
    Floats rows[2][4];
    for (int k = 0; k < 4; ++k) {
      const auto load = [&](int j) {
        return _mm256_loadu_ps(points + ((i * 4 + j) * 4 + k) * stride);
      };
      TransformPoints(load(0), load(1), load(2), load(3), rows[0][k], rows[1][k]);
    }
    for (int64_t j = 0; j < height; ++j) {
      Floats even;
      Floats odd;
      TransformPoints(rows[j][0], rows[j][1], rows[j][2], rows[j][3], even, odd);
      even = _mm256_add_ps(even, biases);
      odd = _mm256_add_ps(odd, biases);
      const Floats outputs[2] = {_mm256_unpacklo_ps(even, odd), _mm256_unpackhi_ps(even, odd)};
      if (sums.count == 0) sums.shift = _mm256_cvtss_f32(outputs[0]);
      float* const to = channel + OffsetOf(first_ + Index3{{i, j, 0}});
      for (int half = 0; half < 2; ++half) {
        Floats difference = _mm256_sub_ps(outputs[half], _mm256_set1_ps(sums.shift));
        if (streams) {
          _mm256_stream_ps(to + half * kLanes, outputs[half]);
        } else if (whole) {
          _mm256_storeu_ps(to + half * kLanes, outputs[half]);
        } else {
          _mm256_maskstore_ps(to + half * kLanes, within[half], outputs[half]);
          difference = _mm256_and_ps(difference, _mm256_castsi256_ps(within[half]));
        }
        differences = _mm256_add_ps(differences, difference);
        squares = _mm256_fmadd_ps(difference, difference, squares);
      }
      sums.count += width;
    }
  }
  AddTo(differences, sums.differences.data());
  AddTo(squares, sums.squares.data());
}

}  // namespace nnseg
