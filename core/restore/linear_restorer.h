#ifndef NNSEG_CORE_RESTORE_LINEAR_RESTORER_H_
#define NNSEG_CORE_RESTORE_LINEAR_RESTORER_H_

#include <cstdint>
#include <vector>

#include "core/restore/plane_decoder.h"
#include "core/restore/slab_restorer.h"

namespace nnseg {

/// Restores with operators of order 0 or 1 along each axis: an output plane needs two planes of
/// logits at most, so it is decoded as soon as the slab with the second one arrives.
class LinearRestorer : public SlabRestorer {
 public:
  /// The operators lead from the network's grid to the crop's. `plan` must outlive this.
  LinearRestorer(const SegmentationPlan& plan, const CaseProperties& properties, AxisOperator axis0,
                 AxisOperator axis1, AxisOperator axis2, LabelSink sink);

  absl::Status Add(LogitSlab slab) override;
  absl::Status Finish() override;

 private:
  // Planes of logits and their bounds.
  struct Stock {
    LogitSlab slab;
    std::vector<int16_t> bounds;
  };

  int64_t plane_voxels() const {
    return properties_.network_shape[1] * properties_.network_shape[2];
  }
  LogitPlane PlaneOf(const Stock& stock, int64_t index) const;
  // Plane `index`, from what was kept or from the slab that came last.
  LogitPlane Plane(int64_t index) const;
  // Decodes the planes [begin, end) of the crop.
  absl::Status Emit(int64_t begin, int64_t end);
  // Keeps the planes from `begin` on for the next slab.
  void Keep(int64_t begin);

  const SegmentationPlan& plan_;
  const CaseProperties properties_;
  const AxisOperator axis0_;
  const PlaneDecoder decoder_;
  const LabelSink sink_;
  Stock kept_;
  Stock last_;
  int64_t emitted_ = 0;  // planes of the crop
};

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_LINEAR_RESTORER_H_
