#ifndef NNSEG_CORE_INFERENCE_PASS_RECORD_H_
#define NNSEG_CORE_INFERENCE_PASS_RECORD_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>

namespace nnseg {

/// What has been learnt of a network while it ran. Written by the device's thread only; readable
/// from any.
class PassRecord {
 public:
  /// `passes` that ran as one batch took so many seconds.
  void Add(double seconds, int64_t passes) {
    const double newest = seconds / static_cast<double>(passes);
    const double mean = seconds_.load();
    seconds_.store(mean == 0 ? newest : mean + (newest - mean) / 4);
  }
  /// A batch of so many passes did not fit in the device's memory: the next ones are half as large.
  void OutOfMemory(int64_t passes) { batch_limit_.store(std::max<int64_t>(1, passes / 2)); }

  /// Running mean of one pass's seconds, in which a new measurement counts one quarter; 0 before
  /// the first.
  double seconds() const { return seconds_.load(); }
  /// Passes that fit in one batch, as far as is known.
  int64_t batch_limit() const { return batch_limit_.load(); }

 private:
  std::atomic<double> seconds_{0};
  std::atomic<int64_t> batch_limit_{std::numeric_limits<int64_t>::max()};
};

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_PASS_RECORD_H_
