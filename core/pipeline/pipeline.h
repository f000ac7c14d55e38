#ifndef NNSEG_CORE_PIPELINE_PIPELINE_H_
#define NNSEG_CORE_PIPELINE_PIPELINE_H_

#include "absl/status/statusor.h"
#include "core/pipeline/segmentation_case.h"
#include "core/pipeline/stage_observer.h"
#include "core/preprocess/preprocessor.h"

namespace nnseg {

/// Checks a case's options against its model before any work: fold names, engine, step size.
/// INVALID_ARGUMENT naming got and expected.
absl::Status ValidateOptions(const LoadedModel& model, const SegmentationOptions& options);

/// Host bytes that segmenting an image of `shape` at `spacing` (reader axes) needs at its peak
/// beyond the voxels as sent: what admission counts. INVALID_ARGUMENT when the network's grid would
/// be absurd.
absl::StatusOr<int64_t> EstimateWorkingBytes(const LoadedModel& model,
                                             const SegmentationOptions& options, PixelType type,
                                             const Shape3& shape, const Spacing3& spacing);

/// First half: preprocessing. Frees the case's voxels.
absl::StatusOr<PreparedCase> Prepare(SegmentationCase& segmentation_case, StageObserver& observer);

/// Second half: inference, restoring, labels to the observer.
absl::StatusOr<SegmentationSummary> Predict(const SegmentationCase& segmentation_case,
                                            PreparedCase prepared, StageObserver& observer);

/// Both halves on the calling thread: nnU-Net's prediction of one case, from voxels to labels.
/// Thread-safe.
absl::StatusOr<SegmentationSummary> Segment(SegmentationCase segmentation_case,
                                            StageObserver& observer);

}  // namespace nnseg

#endif  // NNSEG_CORE_PIPELINE_PIPELINE_H_
