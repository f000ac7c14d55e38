#include "server/stream_monitor.h"

#include <utility>

#include "core/base/check.h"

namespace nnseg {
namespace {

constexpr std::chrono::milliseconds kTick(50);
constexpr std::chrono::milliseconds kTickWithoutStreams(250);

}  // namespace

StreamMonitor::StreamMonitor(std::function<void()> on_tick)
    : on_tick_(std::move(on_tick)), thread_([this] { Loop(); }) {}

StreamMonitor::~StreamMonitor() {
  {
    std::lock_guard lock(mu_);
    NNSEG_CHECK(streams_.empty());
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void StreamMonitor::Add(MonitoredStream& stream) {
  std::lock_guard lock(mu_);
  streams_.insert(&stream);
  changed_.notify_all();
}

void StreamMonitor::Remove(MonitoredStream& stream) {
  std::lock_guard lock(mu_);
  streams_.erase(&stream);
  changed_.notify_all();
}

bool StreamMonitor::WaitUntilEmpty(std::chrono::duration<double> timeout) {
  std::unique_lock lock(mu_);
  return changed_.wait_for(lock, timeout, [&] { return streams_.empty(); });
}

void StreamMonitor::AbortAll() {
  std::lock_guard lock(mu_);
  for (MonitoredStream* stream : streams_) stream->Abort();
}

int StreamMonitor::size() const {
  std::lock_guard lock(mu_);
  return static_cast<int>(streams_.size());
}

void StreamMonitor::Loop() {
  std::unique_lock lock(mu_);
  while (!stopping_) {
    if (streams_.empty()) {
      // Until the first stream comes, whose time then begins.
      changed_.wait_for(lock, kTickWithoutStreams, [&] { return stopping_ || !streams_.empty(); });
    } else {
      changed_.wait_for(lock, kTick, [&] { return stopping_; });
    }
    if (stopping_) return;
    const auto now = std::chrono::steady_clock::now();
    for (MonitoredStream* stream : streams_) stream->CheckTime(now);
    lock.unlock();
    on_tick_();
    lock.lock();
  }
}

}  // namespace nnseg
