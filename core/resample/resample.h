#ifndef NNSEG_CORE_RESAMPLE_RESAMPLE_H_
#define NNSEG_CORE_RESAMPLE_RESAMPLE_H_

#include <cstdint>

#include "core/geometry/spacing.h"
#include "core/resample/resampling_rule.h"
#include "core/volume/volume_view.h"

namespace nnseg {

/// Which of the channels that nnU-Net resamples in one call. Only torch's rounding depends on it.
struct ChannelOf {
  int64_t index = 0;
  int64_t count = 1;
};

/// Resamples one channel from `image` onto the grid of `out`, which covers the same extent, with
/// the bits of the plan's function for images (is_seg false) in nnU-Net 2.8.1. Out is float, or
/// double for callers that round on. `current` and `target` are the two grids' spacings; they only
/// decide whether an axis is separate. Equal shapes are copied.
///   kSpline  resample_data_or_seg_to_shape: double arithmetic, values clipped to those of the
///            channel, or of each slice when one axis is resampled separately, then rounded to Out.
///            With order 3 it holds one double per voxel of `image`.
///   kTorch   resample_torch_fornnunet (torch_interpolation.h): float arithmetic. How `image` lies
///            in memory decides some roundings; it should lie as nnU-Net's array does.
///
/// Uses ParallelFor. REQUIRES: rule.resampler not kNone or equal shapes, orders 0, 1 or 3, no empty
/// axis.
template <typename Out>
void ResampleChannel(const ResamplingRule& rule, const VolumeView<const float>& image,
                     const Spacing3& current, const Spacing3& target, const VolumeView<Out>& out,
                     const ChannelOf& channel = {});

}  // namespace nnseg

#endif  // NNSEG_CORE_RESAMPLE_RESAMPLE_H_
