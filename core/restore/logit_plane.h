#ifndef NNSEG_CORE_RESTORE_LOGIT_PLANE_H_
#define NNSEG_CORE_RESTORE_LOGIT_PLANE_H_

#include <cstdint>

#include "core/volume/half.h"

namespace nnseg {

/// One plane (an index of axis 0) of all channels of the network's logits; does not own.
struct LogitPlane {
  const Half* data = nullptr;  ///< rows x columns of channel 0, dense
  int64_t channel_stride = 0;  ///< elements

  const Half* channel(int64_t c) const { return data + c * channel_stride; }
};

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_LOGIT_PLANE_H_
