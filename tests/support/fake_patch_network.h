#ifndef NNSEG_TESTS_SUPPORT_FAKE_PATCH_NETWORK_H_
#define NNSEG_TESTS_SUPPORT_FAKE_PATCH_NETWORK_H_

#include <atomic>
#include <condition_variable>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/inference/patch_network.h"
#include "core/inference/volume_window.h"

namespace nnseg {

/// A network of shifts, products and sums with behaviour that tests set. Logit k of voxel i is
///
///   x[k mod input channels][(i - (k, k + 1, 2k)) mod patch] * (0.5 + 0.625 k - 0.25 fold)
///       + (0.125 k - 0.0625 fold)
///
/// in float with one rounding for each operation: torch.roll, * and + give the same bits. The
/// shifts make it sensitive to mirroring and to the tile's position.
class FakePatchNetwork : public PatchNetwork {
 public:
  explicit FakePatchNetwork(const PatchSignature& signature, int fold = 0,
                            std::string precision = "fp32")
      : signature_(signature), fold_(fold), precision_(std::move(precision)) {}

  const PatchSignature& signature() const override { return signature_; }
  std::string engine() const override { return "fake"; }
  std::string precision() const override { return precision_; }
  absl::Status Run(std::span<const float> input, std::span<float> output) override;
  int64_t max_batch() const override { return max_batch_; }
  absl::Status RunBatch(std::span<const PatchPass> passes) override;
  void ReleaseCaches() override { ++releases_; }

  bool keeps_volumes() const override { return window_bytes_ != nullptr; }
  absl::StatusOr<std::unique_ptr<VolumeWindow>> OpenWindow(const WindowRequest& request) override;
  int64_t WindowBytes(const WindowShape& shape) const override {
    return window_bytes_ ? window_bytes_(shape) : 0;
  }

  /// Passes begun so far. Callable from any thread.
  int runs() const { return runs_.load(); }
  /// Sizes of the batches so far. Not while passes run.
  const std::vector<int64_t>& batches() const { return batches_; }
  /// Calls of ReleaseCaches so far. Not while passes run.
  int releases() const { return releases_; }

  /// Windows that were asked for so far. Callable from any thread.
  int windows() const { return windows_.load(); }

  /// Claims to keep volumes in windows of so many device bytes, and yet opens none: folds never fit
  /// together.
  void ClaimWindows(std::function<int64_t(const WindowShape&)> bytes) {
    window_bytes_ = std::move(bytes);
  }
  void SetMaxBatch(int64_t passes) { max_batch_ = passes; }
  /// Batches of more passes than this run out of memory.
  void SetRoom(int64_t passes) { room_ = passes; }

  /// Pass number `pass` (from 0) and all after it return `status` and leave the output alone.
  void FailFrom(int pass, absl::Status status);
  /// Every pass switches its thread to flush-to-zero and leaves it so, as engines do.
  void FlushSubnormals() { flush_subnormals_ = true; }
  /// Runs on the device thread at the start of each pass with the pass's number.
  void OnRun(std::function<void(int)> hook) { on_run_ = std::move(hook); }
  /// Every logit of channel `channel` becomes `value`.
  void ForceLogit(int64_t channel, float value) { forced_ = {channel, value}; }

 private:
  struct ForcedLogit {
    int64_t channel = 0;
    float value = 0;
  };

  const PatchSignature signature_;
  const int fold_;
  const std::string precision_;
  std::atomic<int> runs_{0};
  std::atomic<int> windows_{0};
  std::function<int64_t(const WindowShape&)> window_bytes_;
  int fail_from_ = -1;
  absl::Status failure_;
  int64_t max_batch_ = 1;
  int64_t room_ = std::numeric_limits<int64_t>::max();
  std::vector<int64_t> batches_;
  int releases_ = 0;
  bool flush_subnormals_ = false;
  std::function<void(int)> on_run_;
  std::optional<ForcedLogit> forced_;
};

/// A door that holds threads back until it is opened, and tells how many wait. Thread-safe.
class Gate {
 public:
  /// Blocks until Open().
  void Wait();
  void Open();
  /// Blocks until `count` threads have come to Wait(), whether they still wait or not.
  void AwaitArrivals(int count);

 private:
  std::mutex mu_;
  std::condition_variable changed_;
  bool open_ = false;
  int arrivals_ = 0;
};

}  // namespace nnseg

#endif  // NNSEG_TESTS_SUPPORT_FAKE_PATCH_NETWORK_H_
