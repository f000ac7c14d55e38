#ifndef NNSEG_CORE_RESTORE_CUBIC_RESTORER_H_
#define NNSEG_CORE_RESTORE_CUBIC_RESTORER_H_

#include "core/restore/slab_restorer.h"

namespace nnseg {

/// Restores with any resampling rule, cubic splines above all: those couple all voxels of a
/// channel, so the network's logits are kept until the last slab and then resampled channel by
/// channel. Slow and large; plans seldom ask for it.
class CubicRestorer : public SlabRestorer {
 public:
  /// `plan` must outlive this.
  CubicRestorer(const SegmentationPlan& plan, const CaseProperties& properties, LabelSink sink);

  absl::Status Add(LogitSlab slab) override;
  absl::Status Finish() override;

 private:
  const SegmentationPlan& plan_;
  const CaseProperties properties_;
  const LabelSink sink_;
  Volume<Half> logits_;   // channels x network shape
  int64_t received_ = 0;  // planes of axis 0
};

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_CUBIC_RESTORER_H_
