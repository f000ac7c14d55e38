#ifndef NNSEG_CORE_PREPROCESS_NORMALIZATION_H_
#define NNSEG_CORE_PREPROCESS_NORMALIZATION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "core/plan/segmentation_plan.h"
#include "core/volume/volume_view.h"

namespace nnseg {

/// Whether the channel's normalisation looks at the non-zero mask: ZScore with use_mask_for_norm.
bool NormalizesUnderMask(const ChannelPlan& channel);

/// Normalises one channel in place, in float and with the bits of nnU-Net 2.8.1 (preprocessing/
/// normalization/default_normalization_schemes) under numpy 2.4.6. `image` is the channel cropped
/// and transposed as a view of the array that the reader made, whose memory order decides the
/// rounding of sums. `mask`, of the same shape, is read only where NormalizesUnderMask; voxels
/// outside of it stay as they are.
///
/// INVALID_ARGUMENT when RGBTo01 meets a value outside of [0, 255]. Uses ParallelFor.
absl::Status NormalizeChannel(const ChannelPlan& channel, const VolumeView<float>& image,
                              const VolumeView<const uint8_t>& mask);

}  // namespace nnseg

#endif  // NNSEG_CORE_PREPROCESS_NORMALIZATION_H_
