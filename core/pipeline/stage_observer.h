#ifndef NNSEG_CORE_PIPELINE_STAGE_OBSERVER_H_
#define NNSEG_CORE_PIPELINE_STAGE_OBSERVER_H_

#include <vector>

#include "core/pipeline/segmentation_case.h"
#include "core/volume/label_map.h"

namespace nnseg {

/// Watches one case. Calls come one after the other, from the pipeline's threads, never after the
/// case's completion. Implementations return soon.
class StageObserver {
 public:
  virtual ~StageObserver() = default;

  virtual void OnStage(Stage stage) = 0;
  /// Forward passes (tiles x mirrors x folds) done of all.
  virtual void OnProgress(int64_t passes_done, int64_t passes_total) = 0;
  /// Once, before the first labels: blocks will cover `labelled_boxes` (reader axes, disjoint; one
  /// without regions, none if no region has a voxel in the image's non-zero box), each block within
  /// one of them, and all else is background.
  virtual void OnResultBegins(const std::vector<Box3>& labelled_boxes, LabelType type) = 0;
  /// Labels. Final ones cover the labelled boxes once; provisional ones, which post-processing may
  /// still change, come before them. May block to hold the pipeline back while the receiver is
  /// slow. An error ends the case with it.
  virtual absl::Status OnLabels(LabelBlock block) = 0;
  /// Class probabilities, only when the case asked for them: cover the labelled boxes once, with
  /// the same blocking and errors.
  virtual absl::Status OnProbabilities(ProbabilityBlock block) = 0;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_PIPELINE_STAGE_OBSERVER_H_
