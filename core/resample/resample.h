#ifndef NNSEG_CORE_RESAMPLE_RESAMPLE_H_
#define NNSEG_CORE_RESAMPLE_RESAMPLE_H_

#include "core/geometry/spacing.h"
#include "core/resample/resampling_rule.h"
#include "core/volume/volume_view.h"

namespace nnseg {

/// Resamples one channel from `image` onto the grid of `out`, which covers the same extent, with
/// the bits of nnU-Net 2.8.1's resample_data_or_seg_to_shape (is_seg false): double arithmetic,
/// values clipped to those of the channel, or of each slice when one axis is resampled separately,
/// then rounded to Out: float, or double for callers that round on. `current` and `target` are the
/// two grids' spacings; they only decide whether an axis is separate. Equal shapes are copied.
///
/// With order 3 it holds one double per voxel of `image`. Uses ParallelFor.
/// REQUIRES: rule.resampler kSpline or equal shapes, orders 0, 1 or 3, no empty axis.
template <typename Out>
void ResampleChannel(const ResamplingRule& rule, const VolumeView<const float>& image,
                     const Spacing3& current, const Spacing3& target, const VolumeView<Out>& out);

}  // namespace nnseg

#endif  // NNSEG_CORE_RESAMPLE_RESAMPLE_H_
