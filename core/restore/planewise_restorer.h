#ifndef NNSEG_CORE_RESTORE_PLANEWISE_RESTORER_H_
#define NNSEG_CORE_RESTORE_PLANEWISE_RESTORER_H_

#include <array>
#include <cstdint>

#include "core/restore/logit_plane.h"
#include "core/restore/slab_restorer.h"

namespace nnseg {

/// Restores where a plane of the crop is made of two planes of logits at most: it is emitted as
/// soon as the slab with the second one arrives, and only planes that are still needed are kept.
class PlanewiseRestorer : public SlabRestorer {
 public:
  absl::Status Add(LogitSlab slab) override;
  absl::Status Finish() override;

 protected:
  /// `plan` must outlive this.
  PlanewiseRestorer(const SegmentationPlan& plan, const CaseProperties& properties)
      : plan_(plan), properties_(properties), emitted_(0) {}

  /// The lower and upper plane of logits that plane `k` of the crop is made of. Neither ever
  /// decreases with `k`.
  virtual std::array<int64_t, 2> InputPlanes(int64_t k) const = 0;
  /// Called when the planes of logits [begin, end) are there, before they are used.
  virtual void Arrived(int64_t /*begin*/, int64_t /*end*/) {}
  /// Decodes and sends the planes [begin, end) of the crop.
  virtual absl::Status Emit(int64_t begin, int64_t end) = 0;

  /// Plane `index` of the logits, from what was kept or from the slab that came last.
  LogitPlane Plane(int64_t index) const;
  const SegmentationPlan& plan() const { return plan_; }
  const CaseProperties& properties() const { return properties_; }

 private:
  // Keeps the planes from `begin` on for the next slab.
  void Keep(int64_t begin);

  const SegmentationPlan& plan_;
  const CaseProperties properties_;
  LogitSlab kept_;
  LogitSlab last_;
  int64_t emitted_;  // planes of the crop
};

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_PLANEWISE_RESTORER_H_
