#ifndef NNSEG_CORE_CONVOLUTION_TILE_PRODUCT_H_
#define NNSEG_CORE_CONVOLUTION_TILE_PRODUCT_H_

#include <cstdint>

namespace nnseg {

inline constexpr int64_t kProductRows = 8;      ///< output channels of one product
inline constexpr int64_t kProductColumns = 32;  ///< tiles of one product

/// What factors are rounded to. Sums are fp32.
enum class ProductPrecision { kFp32, kBf16 };

/// Whether this processor multiplies so.
bool HasProducts(ProductPrecision precision);

/// Factors come in words of 32 bits: one float, or the bfloat16 of two neighbouring channels, the
/// first in the lower half. So many words hold one row's or column's factors of `channels`:
constexpr int64_t ProductWords(ProductPrecision precision, int64_t channels) {
  return precision == ProductPrecision::kBf16 ? (channels + 1) / 2 : channels;
}

/// To the nearest, ties to even. Not for NaN.
uint16_t RoundToBf16(float value);

/// Makes words of columns that are channels x columns, in their place: words x columns.
void PackColumns(ProductPrecision precision, int64_t channels, float* columns);

/// products (rows x columns) = sum over words w of kernels[w] (rows) times inputs[w] (columns):
/// `kernels` is words x rows, `inputs` is words x columns, all dense.
using TileProduct = void (*)(const float* kernels, const float* inputs, int64_t words,
                             float* products);

/// The one for the widest usable vectors. In fp32 each channel is one rounding (fused
/// multiply-add), in order, so all give the same bits. REQUIRES: HasProducts(precision).
TileProduct ChooseTileProduct(ProductPrecision precision);

}  // namespace nnseg

#endif  // NNSEG_CORE_CONVOLUTION_TILE_PRODUCT_H_
