#ifndef NNSEG_CORE_RESTORE_SLAB_RESTORER_H_
#define NNSEG_CORE_RESTORE_SLAB_RESTORER_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "core/plan/segmentation_plan.h"
#include "core/preprocess/case_properties.h"
#include "core/tiling/logit_slab.h"
#include "core/volume/label_map.h"

namespace nnseg {

/// Takes finished labels, in the reader's axes. Blocks do not overlap and together cover the crop
/// box; all other voxels are background 0.
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

  /// INTERNAL when a plan that resamples nothing meets two grids. `plan` must outlive the restorer.
  static absl::StatusOr<std::unique_ptr<SlabRestorer>> Create(const SegmentationPlan& plan,
                                                              const CaseProperties& properties,
                                                              RestoreSinks sinks);

  /// Slabs come in order and without gaps. Returns the sink's first error.
  virtual absl::Status Add(LogitSlab slab) = 0;
  /// After the last slab: emits what is left.
  virtual absl::Status Finish() = 0;

 protected:
  SlabRestorer() = default;
};

/// Host bytes that restoring holds, for admission. `shape` is the image's, internal axes.
int64_t RestoreBytes(const SegmentationPlan& plan, const Shape3& shape, const Shape3& network_shape,
                     bool probabilities);

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_SLAB_RESTORER_H_
