#ifndef NNSEG_TESTS_SUPPORT_SLAB_COLLECTOR_H_
#define NNSEG_TESTS_SUPPORT_SLAB_COLLECTOR_H_

#include <utility>
#include <vector>

#include "core/inference/volume_predictor.h"
#include "core/tiling/logit_slab.h"

namespace nnseg {

/// Puts the slabs of a prediction together again and notes what was reported.
class SlabCollector {
 public:
  SlabCollector(int64_t channels, const Shape3& network_shape)
      : logits_(Volume<Half>::Filled(channels, network_shape, Half(0.0F))) {}

  /// An observer that fills this collector. The collector must outlive its calls.
  PredictionObserver observer();

  /// Whether the slabs came without gap or overlap and cover the volume.
  bool complete() const { return in_order_ && next_ == logits_.shape()[0]; }
  Volume<Half> TakeLogits() { return std::move(logits_); }
  /// The first index of each slab, in order.
  const std::vector<int64_t>& begins() const { return begins_; }
  const std::vector<PredictionProgress>& progress() const { return progress_; }

 private:
  Volume<Half> logits_;
  std::vector<int64_t> begins_;
  std::vector<PredictionProgress> progress_;
  int64_t next_ = 0;
  bool in_order_ = true;
};

}  // namespace nnseg

#endif  // NNSEG_TESTS_SUPPORT_SLAB_COLLECTOR_H_
