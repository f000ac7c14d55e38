#ifndef NNSEG_CORE_RESAMPLE_RESAMPLE_LABELS_H_
#define NNSEG_CORE_RESAMPLE_RESAMPLE_LABELS_H_

#include <cstdint>

#include "core/geometry/spacing.h"
#include "core/resample/resampling_rule.h"
#include "core/volume/volume_view.h"

namespace nnseg {

/// Resamples a label map from `labels` onto the grid of `out`, which covers the same extent, with
/// the result of nnU-Net 2.8.1's resampling functions for is_seg true: kSpline is batchgenerators
/// 0.25.5's resize_segmentation, kTorch is resample_torch_fornnunet. -1 is a label like any other.
/// `current` and `target` are the two grids' spacings; they only decide whether an axis is
/// separate. Equal shapes are copied. With kTorch the order of the axes of `labels` in memory
/// decides some roundings; it should be that of nnU-Net's array.
///
/// Uses ParallelFor. REQUIRES: rule.resampler not kNone or equal shapes, orders 0, 1 or 3, no empty
/// axis.
void ResampleLabels(const ResamplingRule& rule, const VolumeView<const int32_t>& labels,
                    const Spacing3& current, const Spacing3& target,
                    const VolumeView<int32_t>& out);

}  // namespace nnseg

#endif  // NNSEG_CORE_RESAMPLE_RESAMPLE_LABELS_H_
