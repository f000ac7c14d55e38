#ifndef NNSEG_CORE_PREPROCESS_PREPROCESSOR_H_
#define NNSEG_CORE_PREPROCESS_PREPROCESSOR_H_

#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/plan/segmentation_plan.h"
#include "core/preprocess/case_properties.h"
#include "core/volume/voxel_buffer.h"

namespace nnseg {

/// An image as the network sees it.
struct PreparedCase {
  /// Channels x properties.network_shape, internal axes, not padded; in a cascade one more channel
  /// for each foreground label of the previous stage, ascending, 1 where it is and else 0.
  Volume<float> image;
  CaseProperties properties;
};

/// The plan's rules without touching voxels: what preprocessing an image of `shape` at `spacing`
/// whose non-zero box is `crop` comes to (all in the reader's axes). INVALID_ARGUMENT when the
/// network's grid has no measure.
absl::StatusOr<CaseProperties> PropertiesOf(const SegmentationPlan& plan, const Shape3& shape,
                                            const Box3& crop, const Spacing3& spacing);

/// The largest network shape that such an image can come to, i.e. that of an uncropped one. For
/// admission.
absl::StatusOr<Shape3> NetworkShapeBound(const SegmentationPlan& plan, const Shape3& shape,
                                         const Spacing3& spacing);

/// nnU-Net 2.8.1's DefaultPreprocessor: transpose, crop to non-zero, normalise, resample, in that
/// order. `voxels`, `spacing` and `previous_labels` (the label map of a cascade's previous stage;
/// null for any other plan) are in the reader's axes.
///
/// INVALID_ARGUMENT when the channel count differs from the plan's, a voxel is not finite, a value
/// breaks the channel's normalisation (RGBTo01), or previous labels are missing, not asked for or
/// of another shape; CANCELLED or DEADLINE_EXCEEDED by `token`. Thread-safe.
absl::StatusOr<PreparedCase> Preprocess(const SegmentationPlan& plan, const VoxelBuffer& voxels,
                                        const Spacing3& spacing,
                                        const Volume<uint16_t>* previous_labels,
                                        const CancellationToken& token);

}  // namespace nnseg

#endif  // NNSEG_CORE_PREPROCESS_PREPROCESSOR_H_
