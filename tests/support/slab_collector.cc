#include "tests/support/slab_collector.h"

#include <algorithm>

namespace nnseg {

PredictionObserver SlabCollector::observer() {
  PredictionObserver observer;
  observer.on_progress = [this](const PredictionProgress& progress) {
    progress_.push_back(progress);
  };
  observer.on_slab = [this](LogitSlab slab) {
    in_order_ =
        in_order_ && slab.begin == Index3{{next_, 0, 0}} && slab.end() <= logits_.shape()[0];
    if (!in_order_) return absl::OkStatus();
    for (int64_t c = 0; c < logits_.channels(); ++c) {
      const auto channel = slab.logits.channel(c);
      std::copy(channel.begin(), channel.end(), &logits_.at(c, slab.begin));
    }
    begins_.push_back(slab.begin[0]);
    next_ = slab.end();
    return absl::OkStatus();
  };
  return observer;
}

}  // namespace nnseg
