#ifndef NNSEG_CORE_TILING_LOGIT_SLAB_H_
#define NNSEG_CORE_TILING_LOGIT_SLAB_H_

#include <cstdint>

#include "core/volume/half.h"
#include "core/volume/volume.h"

namespace nnseg {

/// Finished logits for a range of axis 0 of the network's grid (internal axes, padding removed):
/// the mean over tiles, mirrors and folds, in half precision as nnU-Net leaves them.
struct LogitSlab {
  int64_t begin = 0;    ///< first index along axis 0
  Volume<Half> logits;  ///< output channels x (length, axis 1, axis 2)

  int64_t end() const { return begin + logits.shape()[0]; }
};

}  // namespace nnseg

#endif  // NNSEG_CORE_TILING_LOGIT_SLAB_H_
