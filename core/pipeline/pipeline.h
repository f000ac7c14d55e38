#ifndef NNSEG_CORE_PIPELINE_PIPELINE_H_
#define NNSEG_CORE_PIPELINE_PIPELINE_H_

#include "absl/status/statusor.h"
#include "core/pipeline/preparation.h"
#include "core/pipeline/segmentation_case.h"
#include "core/pipeline/stage_observer.h"

namespace nnseg {

/// First half: preprocessing for the first of the case's runs (run_order.h). Lets the case's voxels
/// go if there is no other run.
absl::StatusOr<Preparation> Prepare(SegmentationCase& segmentation_case, StageObserver& observer);

/// Second half: inference of all runs, restoring, averaging, post-processing, labels to the
/// observer.
absl::StatusOr<SegmentationSummary> Predict(const SegmentationCase& segmentation_case,
                                            Preparation first, StageObserver& observer);

/// Both halves on the calling thread: nnU-Net's prediction of one case, from voxels to labels.
/// REQUIRES: ValidateOptions (case_check.h) is OK. Thread-safe.
absl::StatusOr<SegmentationSummary> Segment(SegmentationCase segmentation_case,
                                            StageObserver& observer);

}  // namespace nnseg

#endif  // NNSEG_CORE_PIPELINE_PIPELINE_H_
