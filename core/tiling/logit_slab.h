#ifndef NNSEG_CORE_TILING_LOGIT_SLAB_H_
#define NNSEG_CORE_TILING_LOGIT_SLAB_H_

#include <cstdint>

#include "core/geometry/index.h"
#include "core/volume/half.h"
#include "core/volume/volume.h"

namespace nnseg {

/// Finished logits for a range of axis 0 of the network's grid, or of a box of it (internal axes,
/// padding removed): the mean over tiles, mirrors and folds, in half precision as nnU-Net leaves
/// them.
struct LogitSlab {
  Index3 begin{};       ///< where it lies in the network's grid
  Volume<Half> logits;  ///< output channels x (length, axis 1, axis 2)

  /// One past its last index along axis 0.
  int64_t end() const { return begin[0] + logits.shape()[0]; }
};

}  // namespace nnseg

#endif  // NNSEG_CORE_TILING_LOGIT_SLAB_H_
