#include "core/inference/tile_scheduler.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/float_environment.h"
#include "core/base/stop_watch.h"

namespace nnseg {

TileScheduler::Lane::Lane(TileScheduler& scheduler, CancellationToken token, Priority priority,
                          int64_t passes)
    : scheduler_(scheduler), token_(std::move(token)), priority_(priority), passes_left_(passes) {}

TileScheduler::Lane::~Lane() {
  std::unique_lock lock(scheduler_.mu_);
  passes_.clear();
  scheduler_.idle_.wait(lock, [&] { return running_ == 0; });
  scheduler_.round(priority_).remove(this);
}

std::future<absl::Status> TileScheduler::Lane::Submit(PatchNetwork& network,
                                                      std::span<const float> input,
                                                      std::span<float> output) {
  Pass pass{.network = &network, .buffers = {input, output}, .done = {}};
  std::future<absl::Status> result = pass.done.get_future();
  std::lock_guard lock(scheduler_.mu_);
  passes_.push_back(std::move(pass));
  pass_seconds_ = network.record().seconds();
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
    for (const Round& round : rounds_) NNSEG_CHECK(round.empty());
    stopping_ = true;
    wake_.notify_one();
  }
  thread_.join();
}

std::unique_ptr<TileScheduler::Lane> TileScheduler::OpenLane(CancellationToken token,
                                                             Priority priority, int64_t passes) {
  std::unique_ptr<Lane> lane(new Lane(*this, std::move(token), priority, passes));
  std::lock_guard lock(mu_);
  round(priority).push_back(lane.get());
  return lane;
}

double TileScheduler::SecondsToFinish(Priority priority, double device_seconds) const {
  const auto announced = [](const Lane* lane) {
    return static_cast<double>(lane->passes_left_) * lane->pass_seconds_;
  };
  // While this lane is served, an equal takes as much time, and the other class what the ratio of
  // turns allows it.
  const bool interactive = priority == Priority::kInteractive;
  const double others_share =
      device_seconds * (interactive ? 1.0 / kInteractiveRun : static_cast<double>(kInteractiveRun));
  std::lock_guard lock(mu_);
  double seconds = device_seconds;
  for (const Lane* lane : round(priority)) seconds += std::min(announced(lane), device_seconds);
  double others = 0;
  for (const Lane* lane : round(interactive ? Priority::kBatch : Priority::kInteractive)) {
    others += announced(lane);
  }
  return seconds + std::min(others, others_share);
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

std::array<TileScheduler::Round*, 2> TileScheduler::RoundsInOrder() {
  std::array<Round*, 2> rounds{&round(Priority::kInteractive), &round(Priority::kBatch)};
  if (interactive_run_ >= kInteractiveRun) std::swap(rounds[0], rounds[1]);
  return rounds;
}

TileScheduler::Turn TileScheduler::NextTurn() {
  Turn turn;
  const std::array<Round*, 2> rounds = RoundsInOrder();
  // The first pass chooses the network; then lanes are gone through in turn for passes that can
  // share its batch, until none is left or the batch is full.
  int64_t room = 1;
  for (std::size_t i = 0; i < rounds.size() && room > 0;) {
    Round& round = *rounds[i];
    const auto next = std::find_if(round.begin(), round.end(), [&](const Lane* lane) {
      return !lane->passes_.empty() &&
             (turn.network == nullptr || lane->passes_.front().network == turn.network);
    });
    if (next == round.end()) {
      ++i;
      continue;
    }
    Lane* const lane = *next;
    round.splice(round.end(), round, next);
    Lane::Pass pass = std::move(lane->passes_.front());
    lane->passes_.pop_front();
    if (absl::Status stopped = lane->token_.Check(); !stopped.ok()) {
      pass.done.set_value(std::move(stopped));
      continue;
    }
    if (turn.network == nullptr) {
      turn.network = pass.network;
      room = std::min(turn.network->max_batch(), turn.network->record().batch_limit());
    }
    --room;
    ++lane->running_;
    turn.lanes.push_back(lane);
    turn.passes.push_back(std::move(pass));
  }
  if (turn.network != nullptr) CountPassedOver(turn);
  return turn;
}

void TileScheduler::CountPassedOver(const Turn& turn) {
  const Round& batch = round(Priority::kBatch);
  const bool waits = std::any_of(batch.begin(), batch.end(),
                                 [](const Lane* lane) { return !lane->passes_.empty(); });
  const bool served = std::any_of(turn.lanes.begin(), turn.lanes.end(), [](const Lane* lane) {
    return lane->priority_ == Priority::kBatch;
  });
  interactive_run_ = waits && !served ? interactive_run_ + 1 : 0;
}

void TileScheduler::Run(Turn& turn) {
  const ScopedSubnormals subnormals;
  PatchNetwork& network = *turn.network;
  const auto passes = static_cast<int64_t>(turn.passes.size());
  std::vector<PatchPass> batch;
  for (const Lane::Pass& pass : turn.passes) batch.push_back(pass.buffers);

  StopWatch watch;
  absl::Status status = network.RunBatch(batch);
  if (absl::IsResourceExhausted(status)) {
    network.record().OutOfMemory(passes);
    network.ReleaseCaches();
    for (Lane::Pass& pass : turn.passes) {
      pass.done.set_value(network.Run(pass.buffers.input, pass.buffers.output));
    }
    return;
  }
  if (status.ok()) network.record().Add(watch.Lap(), passes);
  for (Lane::Pass& pass : turn.passes) pass.done.set_value(status);
}

void TileScheduler::EndTurn(const Turn& turn) {
  for (Lane* lane : turn.lanes) {
    --lane->running_;
    lane->passes_left_ = std::max<int64_t>(0, lane->passes_left_ - 1);
  }
  idle_.notify_all();
}

void TileScheduler::Loop() {
  std::unique_lock lock(mu_);
  for (;;) {
    if (!device_work_.empty()) {
      std::packaged_task<absl::Status()> task = std::move(device_work_.front());
      device_work_.pop_front();
      lock.unlock();
      {
        const ScopedSubnormals subnormals;
        task();
      }
      lock.lock();
    } else if (Turn turn = NextTurn(); turn.network != nullptr) {
      lock.unlock();
      Run(turn);
      lock.lock();
      EndTurn(turn);
    } else if (stopping_) {
      return;
    } else {
      wake_.wait(lock);
    }
  }
}

}  // namespace nnseg
