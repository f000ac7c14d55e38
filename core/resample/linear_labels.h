#ifndef NNSEG_CORE_RESAMPLE_LINEAR_LABELS_H_
#define NNSEG_CORE_RESAMPLE_LINEAR_LABELS_H_

#include <array>
#include <cstdint>

#include "core/resample/axis_operator.h"
#include "core/resample/torch_interpolation.h"
#include "core/volume/volume_view.h"

namespace nnseg {

/// Both functions give each output voxel the label whose indicator, interpolated linearly, scores
/// best. Only the labels of the eight input voxels around it score at all, so the work does not
/// grow with the number of labels. Both use ParallelFor.

/// By batchgenerators 0.25.5's rule (resize_segmentation): the largest score wins; among equal ones
/// the label of the nearest voxel, if it is one of them, else the smallest. `axes` and `nearest`
/// lead from labels.shape to out.shape, by orders 0 or 1 and by order 0.
void LinearLabels(const std::array<AxisOperator, 3>& axes,
                  const std::array<AxisOperator, 3>& nearest,
                  const VolumeView<const int32_t>& labels, const VolumeView<int32_t>& out);

/// By the rule of nnU-Net 2.8.1's resample_torch_fornnunet (is_seg true): the best score
/// in half precision, ties to the smallest label; or, with `memory_efficient`, the label that
/// scores above 0.5, else 0. REQUIRES: shapes are the interpolation's.
void TorchLabels(const TorchInterpolation& torch, bool memory_efficient,
                 const VolumeView<const int32_t>& labels, const VolumeView<int32_t>& out);

}  // namespace nnseg

#endif  // NNSEG_CORE_RESAMPLE_LINEAR_LABELS_H_
