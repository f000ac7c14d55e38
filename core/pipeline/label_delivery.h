#ifndef NNSEG_CORE_PIPELINE_LABEL_DELIVERY_H_
#define NNSEG_CORE_PIPELINE_LABEL_DELIVERY_H_

#include <cstdint>
#include <map>
#include <vector>

#include "absl/status/status.h"
#include "core/base/cancellation.h"
#include "core/pipeline/segmentation_case.h"
#include "core/pipeline/stage_observer.h"

namespace nnseg {

/// Takes a case's labels and probabilities to its observer: begins the result, applies the
/// post-processing that was asked for, which holds labels back until all are there, and counts
/// voxels. One case, one thread at a time.
class LabelDelivery {
 public:
  /// `labelled_boxes` (reader axes) do not overlap; without regions there is one. A case of regions
  /// is not post-processed. All references must outlive this.
  LabelDelivery(const SegmentationCase& segmentation_case, std::vector<Box3> labelled_boxes,
                StageObserver& observer);

  /// Blocks cover the labelled boxes once. Returns the observer's first error.
  absl::Status Add(LabelBlock block);
  absl::Status Add(ProbabilityBlock block);
  /// After the last block: post-processes, and delivers what is left.
  absl::Status Finish();

  bool postprocesses() const { return !rules_.empty(); }
  double postprocess_seconds() const { return postprocess_seconds_; }
  /// Voxels of each value of the model's labels in an image of so many voxels. After Finish.
  std::map<int, int64_t> VoxelsPerLabel(int64_t image_voxels) const;

 private:
  void Begin();
  absl::Status Deliver(LabelBlock block);

  const LabelTable& labels_;
  const PostprocessingRules rules_;
  const bool provisional_;
  const std::vector<Box3> boxes_;
  const CancellationToken token_;
  StageObserver& observer_;
  bool begun_ = false;
  Volume<uint16_t> map_;  // of the one box, with rules only
  std::vector<int64_t> counts_;
  int64_t counted_ = 0;
  double postprocess_seconds_ = 0;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_PIPELINE_LABEL_DELIVERY_H_
