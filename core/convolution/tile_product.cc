#include "core/convolution/tile_product.h"

#include <immintrin.h>

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

[[gnu::target("avx512f")]] void MultiplyAvx512(const float* kernels, const float* inputs,
                                               int64_t channels, float* products) {
  __m512 sums[kProductRows][2];
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
  for (const auto& sum : sums) {
    _mm512_storeu_ps(products, sum[0]);
    _mm512_storeu_ps(products + 16, sum[1]);
    products += kProductColumns;
  }
}

}  // namespace

TileProduct ChooseTileProduct() {
  return UsableInstructionSet() == InstructionSet::kAvx512 ? MultiplyAvx512 : MultiplyAvx2;
}

}  // namespace nnseg
