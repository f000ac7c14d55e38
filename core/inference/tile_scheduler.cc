#include "core/inference/tile_scheduler.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/float_environment.h"
#include "core/base/status_macros.h"

namespace nnseg {

TileScheduler::Lane::Lane(TileScheduler& scheduler, CancellationToken token)
    : scheduler_(scheduler), token_(std::move(token)) {}

TileScheduler::Lane::~Lane() {
  std::unique_lock lock(scheduler_.mu_);
  passes_.clear();
  scheduler_.idle_.wait(lock, [&] { return !running_; });
  scheduler_.lanes_.remove(this);
}

std::future<absl::Status> TileScheduler::Lane::Submit(PatchNetwork& network,
                                                      std::span<const float> input,
                                                      std::span<float> output) {
  std::packaged_task<absl::Status()> pass([this, &network, input, output]() -> absl::Status {
    NNSEG_RETURN_IF_ERROR(token_.Check());
    return network.Run(input, output);
  });
  std::future<absl::Status> result = pass.get_future();
  std::lock_guard lock(scheduler_.mu_);
  passes_.push_back(std::move(pass));
  scheduler_.wake_.notify_one();
  return result;
}

TileScheduler::TileScheduler(std::function<void()> on_start)
    : thread_([this, on_start = std::move(on_start)] {
        on_start();
        Loop();
      }) {}

TileScheduler::~TileScheduler() {
  {
    std::lock_guard lock(mu_);
    NNSEG_CHECK(lanes_.empty());
    stopping_ = true;
    wake_.notify_one();
  }
  thread_.join();
}

std::unique_ptr<TileScheduler::Lane> TileScheduler::OpenLane(CancellationToken token) {
  std::unique_ptr<Lane> lane(new Lane(*this, std::move(token)));
  std::lock_guard lock(mu_);
  lanes_.push_back(lane.get());
  return lane;
}

absl::Status TileScheduler::RunOnDevice(std::function<absl::Status()> work) {
  std::packaged_task<absl::Status()> task(std::move(work));
  std::future<absl::Status> result = task.get_future();
  {
    std::lock_guard lock(mu_);
    device_work_.push_back(std::move(task));
    wake_.notify_one();
  }
  return result.get();
}

TileScheduler::Lane* TileScheduler::NextLane() {
  const auto next = std::find_if(lanes_.begin(), lanes_.end(),
                                 [](const Lane* lane) { return !lane->passes_.empty(); });
  if (next == lanes_.end()) return nullptr;
  lanes_.splice(lanes_.end(), lanes_, next);
  return lanes_.back();
}

void TileScheduler::Loop() {
  std::unique_lock lock(mu_);
  for (;;) {
    Lane* lane = nullptr;
    std::packaged_task<absl::Status()> task;
    if (!device_work_.empty()) {
      task = std::move(device_work_.front());
      device_work_.pop_front();
    } else if ((lane = NextLane()) != nullptr) {
      task = std::move(lane->passes_.front());
      lane->passes_.pop_front();
      lane->running_ = true;
    } else if (stopping_) {
      return;
    } else {
      wake_.wait(lock);
      continue;
    }
    lock.unlock();
    {
      const ScopedSubnormals subnormals;
      task();
    }
    lock.lock();
    if (lane != nullptr) {
      lane->running_ = false;
      idle_.notify_all();
    }
  }
}

}  // namespace nnseg
