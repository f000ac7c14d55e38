#ifndef NNSEG_CORE_RESTORE_CUBIC_RESTORER_H_
#define NNSEG_CORE_RESTORE_CUBIC_RESTORER_H_

#include "core/restore/slab_restorer.h"

namespace nnseg {

/// Restores with any spline rule, cubic ones above all: those couple all voxels of a channel, so
/// the network's logits are kept until the last slab and then resampled channel by channel. Slow
/// and large, larger still with probabilities, which need all channels of a voxel; plans seldom ask
/// for it.
class CubicRestorer : public SlabRestorer {
 public:
  /// REQUIRES: boxes.logits is the whole grid. `plan` must outlive this.
  CubicRestorer(const SegmentationPlan& plan, const CaseProperties& properties,
                const RestoreBoxes& boxes, RestoreSinks sinks);

  absl::Status Add(LogitSlab slab) override;
  absl::Status Finish() override;

 private:
  // Calls take(channel, first, logits) with every channel's logits of boxes().image, a range of
  // its voxels at a time and from several threads.
  template <typename Take>
  void Resample(const Take& take) const;
  absl::Status SendLabels() const;
  absl::Status SendProbabilities() const;

  const CaseProperties properties_;
  const RestoreSinks sinks_;
  Volume<Half> logits_;   // channels x network shape
  int64_t received_ = 0;  // planes of axis 0
};

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_CUBIC_RESTORER_H_
