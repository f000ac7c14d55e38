#ifndef NNSEG_CORE_RESTORE_SLAB_RESTORER_H_
#define NNSEG_CORE_RESTORE_SLAB_RESTORER_H_

#include <functional>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "core/inference/label_rule.h"
#include "core/plan/segmentation_plan.h"
#include "core/preprocess/case_properties.h"
#include "core/restore/logit_operators.h"
#include "core/tiling/logit_slab.h"
#include "core/volume/label_map.h"

namespace nnseg {

/// Takes finished labels, in the reader's axes. Blocks do not overlap and together cover what is
/// restored: the crop, or a part of it. All voxels outside of the crop are background 0.
using LabelSink = std::function<absl::Status(LabelBlock)>;
/// Takes class probabilities; the same blocks and rules.
using ProbabilitySink = std::function<absl::Status(ProbabilityBlock)>;

/// Who takes what. With a probability sink, labels are decided from the probabilities, as nnU-Net
/// does when it saves them; at least one of the two is set.
struct RestoreSinks {
  LabelSink labels;
  ProbabilitySink probabilities;
};

/// Turns finished logit slabs into labels and probabilities on the image's own grid: resamples
/// logits to the crop's grid, decides the label, pastes into the crop box and undoes the transpose
/// (nnU-Net 2.8.1, inference/export_prediction). A few planes of full-resolution logits exist at a
/// time; only cubic splines need the network's logits and a whole channel at once, or with
/// probabilities all channels.
///
/// One case, one thread at a time.
class SlabRestorer {
 public:
  virtual ~SlabRestorer() = default;

  /// Restores `part` of the image (internal axes, within the crop, not empty), by default the whole
  /// crop: its voxels come out the same. INTERNAL when a plan that resamples nothing meets two
  /// grids. `plan` must outlive the restorer.
  static absl::StatusOr<std::unique_ptr<SlabRestorer>> Create(
      const SegmentationPlan& plan, const CaseProperties& properties, RestoreSinks sinks,
      const std::optional<Box3>& part = std::nullopt);

  /// What is restored, and from which logits.
  const RestoreBoxes& boxes() const { return boxes_; }

  /// Slabs come in order and without gaps and cover boxes().logits. Returns the sink's first error.
  virtual absl::Status Add(LogitSlab slab) = 0;
  /// How labels may be decided elsewhere, for a caller who then brings them to AddLabels and no
  /// slabs to Add; null where logits are needed.
  virtual const LabelRule* label_rule() const { return nullptr; }
  /// Labels of boxes().image by label_rule(): planes in order and without gaps. Returns the sink's
  /// error. REQUIRES: label_rule() is not null.
  virtual absl::Status AddLabels(LabelPlanes planes);
  /// After the last slab: emits what is left.
  virtual absl::Status Finish() = 0;

 protected:
  SlabRestorer(const SegmentationPlan& plan, const RestoreBoxes& boxes)
      : plan_(plan), boxes_(boxes) {}

  const SegmentationPlan& plan() const { return plan_; }
  /// Where the planes [begin, end) along axis 0 of boxes().image lie in the reader's axes.
  Box3 ReaderBox(int64_t begin, int64_t end) const;

 private:
  const SegmentationPlan& plan_;
  const RestoreBoxes boxes_;
};

/// Host bytes that restoring holds, for admission: of an image of `shape` (internal axes), or of a
/// part and its logits; for a WholeChannelSpline `shape` must be the whole image's.
int64_t RestoreBytes(const SegmentationPlan& plan, const Shape3& shape, const Shape3& network_shape,
                     bool probabilities);

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_SLAB_RESTORER_H_
