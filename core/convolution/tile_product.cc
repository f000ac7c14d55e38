#include "core/convolution/tile_product.h"

#include <immintrin.h>

#include <bit>

#include "core/base/instruction_set.h"

namespace nnseg {
namespace {

// Eight sums in flight hide the latency of an addition; the registers take no more rows.
constexpr int kRowsAvx2 = 4;
constexpr int kColumnsAvx2 = 16;

void MultiplyAvx2(const float* kernels, const float* inputs, int64_t channels, float* products) {
  for (int column = 0; column < kProductColumns; column += kColumnsAvx2) {
    for (int row = 0; row < kProductRows; row += kRowsAvx2) {
      __m256 sums[kRowsAvx2][2];
      for (auto& sum : sums) sum[0] = sum[1] = _mm256_setzero_ps();
      const float* kernel = kernels + row;
      const float* input = inputs + column;
      for (int64_t c = 0; c < channels; ++c) {
        const __m256 left = _mm256_loadu_ps(input);
        const __m256 right = _mm256_loadu_ps(input + 8);
#pragma GCC unroll 4
        for (int i = 0; i < kRowsAvx2; ++i) {
          const __m256 weight = _mm256_set1_ps(kernel[i]);
          sums[i][0] = _mm256_fmadd_ps(weight, left, sums[i][0]);
          sums[i][1] = _mm256_fmadd_ps(weight, right, sums[i][1]);
        }
        kernel += kProductRows;
        input += kProductColumns;
      }
      float* product = products + row * kProductColumns + column;
      for (const auto& sum : sums) {
        _mm256_storeu_ps(product, sum[0]);
        _mm256_storeu_ps(product + 8, sum[1]);
        product += kProductColumns;
      }
    }
  }
}

using WideSums = __m512[kProductRows][2];

[[gnu::target("avx512f")]] inline void Store(const WideSums& sums, float* products) {
  for (const auto& sum : sums) {
    _mm512_storeu_ps(products, sum[0]);
    _mm512_storeu_ps(products + 16, sum[1]);
    products += kProductColumns;
  }
}

[[gnu::target("avx512f")]] void MultiplyAvx512(const float* kernels, const float* inputs,
                                               int64_t channels, float* products) {
  WideSums sums;
  for (auto& sum : sums) sum[0] = sum[1] = _mm512_setzero_ps();
  for (int64_t c = 0; c < channels; ++c) {
    const __m512 left = _mm512_loadu_ps(inputs);
    const __m512 right = _mm512_loadu_ps(inputs + 16);
#pragma GCC unroll 8
    for (int i = 0; i < kProductRows; ++i) {
      const __m512 weight = _mm512_set1_ps(kernels[i]);
      sums[i][0] = _mm512_fmadd_ps(weight, left, sums[i][0]);
      sums[i][1] = _mm512_fmadd_ps(weight, right, sums[i][1]);
    }
    kernels += kProductRows;
    inputs += kProductColumns;
  }
  Store(sums, products);
}

[[gnu::target("avx512f,avx512bf16")]] void MultiplyBf16(const float* kernels, const float* inputs,
                                                        int64_t words, float* products) {
  WideSums sums;
  for (auto& sum : sums) sum[0] = sum[1] = _mm512_setzero_ps();
  for (int64_t w = 0; w < words; ++w) {
    const auto left = reinterpret_cast<__m512bh>(_mm512_loadu_ps(inputs));
    const auto right = reinterpret_cast<__m512bh>(_mm512_loadu_ps(inputs + 16));
#pragma GCC unroll 8
    for (int i = 0; i < kProductRows; ++i) {
      const auto weights = reinterpret_cast<__m512bh>(_mm512_set1_ps(kernels[i]));
      sums[i][0] = _mm512_dpbf16_ps(sums[i][0], weights, left);
      sums[i][1] = _mm512_dpbf16_ps(sums[i][1], weights, right);
    }
    kernels += kProductRows;
    inputs += kProductColumns;
  }
  Store(sums, products);
}

[[gnu::target("avx512f,avx512bw,avx512bf16")]] void PackColumnPairs(int64_t channels,
                                                                    float* columns) {
  static_assert(kProductColumns == 32);
  // Each half of a vector of words: numbers 0 to 15 are of the first channel, the others of the
  // second.
  const __m512i interleaved =
      _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                       21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  for (int64_t c = 0; c < channels; c += 2) {
    for (int64_t i = 0; i < kProductColumns; i += 16) {
      const __m512 first = _mm512_loadu_ps(columns + c * kProductColumns + i);
      const __m512 second = c + 1 < channels
                                ? _mm512_loadu_ps(columns + (c + 1) * kProductColumns + i)
                                : _mm512_setzero_ps();
      const auto pair = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first));
      _mm512_storeu_si512(columns + c / 2 * kProductColumns + i,
                          _mm512_permutexvar_epi16(interleaved, pair));
    }
  }
}

}  // namespace

uint16_t RoundToBf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

void PackColumns(ProductPrecision precision, int64_t channels, float* columns) {
  if (precision == ProductPrecision::kBf16) PackColumnPairs(channels, columns);
}

bool HasProducts(ProductPrecision precision) {
  return precision == ProductPrecision::kFp32 || __builtin_cpu_supports("avx512bf16") != 0;
}

TileProduct ChooseTileProduct(ProductPrecision precision) {
  if (precision == ProductPrecision::kBf16) return MultiplyBf16;
  return UsableInstructionSet() == InstructionSet::kAvx512 ? MultiplyAvx512 : MultiplyAvx2;
}

}  // namespace nnseg
