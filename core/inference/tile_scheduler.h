#ifndef NNSEG_CORE_INFERENCE_TILE_SCHEDULER_H_
#define NNSEG_CORE_INFERENCE_TILE_SCHEDULER_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <thread>

#include "absl/status/status.h"
#include "core/base/cancellation.h"
#include "core/inference/patch_network.h"

namespace nnseg {

/// Owns the one thread that touches a device and serves the forward passes of all running cases on
/// it, in turn: a small case beside a large one waits for one pass, not for the other case.
/// Whatever an engine does to the thread's floating-point mode ends with its pass. Thread-safe.
class TileScheduler {
 public:
  /// One case's queue on the device. Closing it (the destructor) drops what is queued, whose
  /// futures must not be read then, and waits for the pass under way, so buffers may be freed
  /// afterwards. One thread at a time.
  class Lane {
   public:
    ~Lane();
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    /// Queues one forward pass. `input` and `output` must live until the future is ready. The
    /// future holds the pass's status, or the lane's CANCELLED/DEADLINE_EXCEEDED if its token
    /// stopped before the pass began.
    std::future<absl::Status> Submit(PatchNetwork& network, std::span<const float> input,
                                     std::span<float> output);

   private:
    friend class TileScheduler;
    Lane(TileScheduler& scheduler, CancellationToken token);

    TileScheduler& scheduler_;
    const CancellationToken token_;
    std::deque<std::packaged_task<absl::Status()>> passes_;  // guarded by scheduler_.mu_
    bool running_ = false;                                   // guarded by scheduler_.mu_
  };

  /// `on_start` runs first on the device thread: it sets the engine's thread counts.
  explicit TileScheduler(std::function<void()> on_start = [] {});
  /// Finishes RunOnDevice calls under way and joins. REQUIRES: all lanes are closed.
  ~TileScheduler();

  TileScheduler(const TileScheduler&) = delete;
  TileScheduler& operator=(const TileScheduler&) = delete;

  /// Opens a lane for one case; `token` is polled before each of its passes.
  std::unique_ptr<Lane> OpenLane(CancellationToken token);

  /// Runs `work` on the device thread between passes and waits: for loading and warm-up.
  absl::Status RunOnDevice(std::function<absl::Status()> work);

 private:
  void Loop();
  // The lane to serve next, moved to the back of the round; null when no pass is queued.
  Lane* NextLane();

  std::mutex mu_;
  std::condition_variable wake_;  // the device thread: something to do
  std::condition_variable idle_;  // closing lanes: a pass has ended
  std::list<Lane*> lanes_;        // round robin: the front is served first
  std::deque<std::packaged_task<absl::Status()>> device_work_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TILE_SCHEDULER_H_
