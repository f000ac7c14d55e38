#ifndef NNSEG_CORE_CONVOLUTION_TILE_PRODUCT_H_
#define NNSEG_CORE_CONVOLUTION_TILE_PRODUCT_H_

#include <cstdint>

namespace nnseg {

inline constexpr int64_t kProductRows = 8;      ///< output channels of one product
inline constexpr int64_t kProductColumns = 32;  ///< tiles of one product

/// products (rows x columns) = sum over channels c of kernels[c] (rows) times inputs[c] (columns):
/// `kernels` is channels x rows, `inputs` is channels x columns, all dense.
using TileProduct = void (*)(const float* kernels, const float* inputs, int64_t channels,
                             float* products);

/// The one for the widest usable vectors. Each channel is one rounding (fused multiply-add), in
/// order, so all give the same bits.
TileProduct ChooseTileProduct();

}  // namespace nnseg

#endif  // NNSEG_CORE_CONVOLUTION_TILE_PRODUCT_H_
