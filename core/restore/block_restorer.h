#ifndef NNSEG_CORE_RESTORE_BLOCK_RESTORER_H_
#define NNSEG_CORE_RESTORE_BLOCK_RESTORER_H_

#include <cstdint>
#include <memory>

#include "core/restore/logit_resampler.h"
#include "core/restore/planewise_restorer.h"

namespace nnseg {

/// Restores labels and probabilities from whole planes of all channels, a block of a few planes at
/// a time: labels are decided from float values, as nnU-Net does when it saves probabilities or
/// when logits are resampled by torch.
class BlockRestorer : public PlanewiseRestorer {
 public:
  /// `resampler` leads from the box of logits to that of the image. `plan` must outlive this.
  BlockRestorer(const SegmentationPlan& plan, const RestoreBoxes& boxes,
                std::unique_ptr<LogitResampler> resampler, RestoreSinks sinks);

  /// Host bytes of a block of an image of `shape` voxels.
  static int64_t BlockBytes(int64_t channels, const Shape3& shape);

 private:
  std::array<int64_t, 2> InputPlanes(int64_t k) const override;
  absl::Status Emit(int64_t begin, int64_t end) override;

  // Resampled logits of the planes [begin, end) of the image.
  ProbabilityBlock Logits(int64_t begin, int64_t end) const;
  absl::Status Send(ProbabilityBlock block) const;

  const std::unique_ptr<LogitResampler> resampler_;
  const RestoreSinks sinks_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_BLOCK_RESTORER_H_
