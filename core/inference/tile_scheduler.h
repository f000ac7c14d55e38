#ifndef NNSEG_CORE_INFERENCE_TILE_SCHEDULER_H_
#define NNSEG_CORE_INFERENCE_TILE_SCHEDULER_H_

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "core/base/cancellation.h"
#include "core/inference/patch_network.h"
#include "core/inference/priority.h"

namespace nnseg {

/// Owns the one thread that touches a device and serves the forward passes of all running cases on
/// it, one turn after the other:
///
/// - Lanes of one priority are served round robin, pass by pass: of n cases each waits for at most
///   n - 1 turns between two of its own, however large the others are.
/// - Interactive lanes go first, but after kInteractiveRun turns in a row that passed over a
///   waiting batch lane the next turn is a batch lane's. So batch cases together get at least one
///   turn in kInteractiveRun + 1, and an interactive pass waits for at most one batch pass and then
///   for its own kind.
/// - A turn is as many queued passes of the same network, of whatever lanes, as the network takes
///   in one batch; lanes are asked in the order in which they would be served.
/// - A batch that does not fit in the device's memory is tried once more, pass by pass, after the
///   network has given back what it can.
///
/// Whatever an engine does to the thread's floating-point mode ends with its turn. Thread-safe.
class TileScheduler {
 public:
  /// Interactive turns in a row while a batch pass waits.
  static constexpr int kInteractiveRun = 4;

  /// One case's queue on the device. Closing it (the destructor) drops what is queued, whose
  /// futures must not be read then, and waits for the passes under way, so buffers may be freed
  /// afterwards. One thread at a time.
  class Lane {
   public:
    ~Lane();
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    /// Queues one forward pass. `input` and `output` must live until the future is ready. The
    /// future holds the pass's status, or the lane's CANCELLED/DEADLINE_EXCEEDED if its token
    /// stopped before the pass began. Passes of a lane begin in order.
    std::future<absl::Status> Submit(PatchNetwork& network, std::span<const float> input,
                                     std::span<float> output);

   private:
    friend class TileScheduler;
    struct Pass {
      PatchNetwork* network = nullptr;
      PatchPass buffers;
      std::promise<absl::Status> done;
    };
    Lane(TileScheduler& scheduler, CancellationToken token, Priority priority, int64_t passes);

    TileScheduler& scheduler_;
    const CancellationToken token_;
    const Priority priority_;
    // Guarded by scheduler_.mu_:
    std::deque<Pass> passes_;
    int running_ = 0;
    int64_t passes_left_;      // announced and not yet run
    double pass_seconds_ = 0;  // of the network of the newest pass, as known then
  };

  /// `on_start` runs first on the device thread: it sets the engine's thread counts.
  explicit TileScheduler(std::function<void()> on_start = [] {});
  /// Finishes RunOnDevice calls under way and joins. REQUIRES: all lanes are closed.
  ~TileScheduler();

  TileScheduler(const TileScheduler&) = delete;
  TileScheduler& operator=(const TileScheduler&) = delete;

  /// Opens a lane for one case that will bring about `passes`; `token` is polled before each of
  /// them.
  std::unique_ptr<Lane> OpenLane(CancellationToken token, Priority priority, int64_t passes = 0);

  /// Seconds until passes that take `device_seconds` in all would be done in a lane of `priority`
  /// opened now, beside what the open lanes have announced. An estimate: it knows nothing of cases
  /// that come later.
  double SecondsToFinish(Priority priority, double device_seconds) const;

  /// Runs `work` on the device thread between turns and waits: for loading and warm-up.
  absl::Status RunOnDevice(std::function<absl::Status()> work);

 private:
  using Round = std::list<Lane*>;  // the front is served first
  // One turn: passes of one network, with the lanes that they came from.
  struct Turn {
    PatchNetwork* network = nullptr;
    std::vector<Lane*> lanes;
    std::vector<Lane::Pass> passes;
  };

  void Loop();
  Round& round(Priority priority) { return rounds_[static_cast<std::size_t>(priority)]; }
  const Round& round(Priority priority) const {
    return rounds_[static_cast<std::size_t>(priority)];
  }
  // The class whose turn it is goes first.
  std::array<Round*, 2> RoundsInOrder();
  // Takes the next passes out of their lanes; no passes when none is queued.
  Turn NextTurn();
  // Keeps interactive_run_ for a turn that was just taken out.
  void CountPassedOver(const Turn& turn);
  // Runs a turn's passes and fulfils their promises. Called without mu_.
  static void Run(Turn& turn);
  void EndTurn(const Turn& turn);

  mutable std::mutex mu_;
  std::condition_variable wake_;  // the device thread: something to do
  std::condition_variable idle_;  // closing lanes: a turn has ended
  std::array<Round, 2> rounds_;   // by priority
  int interactive_run_ = 0;       // turns in a row that passed over a waiting batch lane
  std::deque<std::packaged_task<absl::Status()>> device_work_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TILE_SCHEDULER_H_
