#ifndef NNSEG_CORE_RESTORE_LINEAR_RESTORER_H_
#define NNSEG_CORE_RESTORE_LINEAR_RESTORER_H_

#include <cstdint>
#include <map>
#include <vector>

#include "core/restore/plane_decoder.h"
#include "core/restore/planewise_restorer.h"

namespace nnseg {

/// Restores labels with operators of order 0 or 1 along each axis, row by row: logits are
/// interpolated only where they could decide a label.
class LinearRestorer : public PlanewiseRestorer {
 public:
  /// The operators lead from the box of logits to that of the image. `plan` must outlive this.
  LinearRestorer(const SegmentationPlan& plan, const RestoreBoxes& boxes, AxisOperator axis0,
                 AxisOperator axis1, const AxisOperator& axis2, LabelSink sink);

  const LabelRule* label_rule() const override { return &rule_; }
  absl::Status AddLabels(LabelPlanes planes) override;

 private:
  std::array<int64_t, 2> InputPlanes(int64_t k) const override;
  void Arrived(int64_t begin, int64_t end) override;
  absl::Status Emit(int64_t begin, int64_t end) override;

  // The block of the planes [begin, end) of the image, with labels still to be written.
  LabelBlock MakeBlock(int64_t begin, int64_t end) const;

  const LabelRule rule_;
  const AxisOperator& axis0_ = rule_.axes[0];
  const PlaneDecoder decoder_;
  const LabelSink sink_;
  std::map<int64_t, std::vector<int16_t>> bounds_;  // of the planes that are there
};

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_LINEAR_RESTORER_H_
