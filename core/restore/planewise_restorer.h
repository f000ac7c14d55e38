#ifndef NNSEG_CORE_RESTORE_PLANEWISE_RESTORER_H_
#define NNSEG_CORE_RESTORE_PLANEWISE_RESTORER_H_

#include <array>
#include <cstdint>

#include "core/restore/logit_plane.h"
#include "core/restore/slab_restorer.h"

namespace nnseg {

/// Restores where a plane of the image is made of two planes of logits at most: it is emitted as
/// soon as the slab with the second one arrives, and only planes that are still needed are kept.
class PlanewiseRestorer : public SlabRestorer {
 public:
  absl::Status Add(LogitSlab slab) override;
  absl::Status Finish() override;

 protected:
  /// Planes of logits and of the image are counted from the begin of `boxes`. `plan` must outlive
  /// this.
  PlanewiseRestorer(const SegmentationPlan& plan, const RestoreBoxes& boxes)
      : SlabRestorer(plan, boxes) {}

  /// The lower and upper plane of logits that plane `k` of the image is made of. Neither ever
  /// decreases with `k`.
  virtual std::array<int64_t, 2> InputPlanes(int64_t k) const = 0;
  /// Called when the planes of logits [begin, end) are there, before they are used.
  virtual void Arrived(int64_t /*begin*/, int64_t /*end*/) {}
  /// Decodes and sends the planes [begin, end) of the image.
  virtual absl::Status Emit(int64_t begin, int64_t end) = 0;

  /// Notes that the planes of the image [begin, end) were sent without logits. REQUIRES: all before
  /// them were.
  void Emitted(int64_t begin, int64_t end);

  /// Plane `index` of the logits, from what was kept or from the slab that came last.
  LogitPlane Plane(int64_t index) const;

 private:
  // Keeps the planes from `begin` on for the next slab.
  void Keep(int64_t begin);

  LogitSlab kept_;  // both lie in boxes().logits
  LogitSlab last_;
  int64_t emitted_ = 0;  // planes of the image
};

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_PLANEWISE_RESTORER_H_
