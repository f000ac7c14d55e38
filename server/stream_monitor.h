#ifndef NNSEG_SERVER_STREAM_MONITOR_H_
#define NNSEG_SERVER_STREAM_MONITOR_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

namespace nnseg {

/// A stream whose clock is watched.
class MonitoredStream {
 public:
  virtual ~MonitoredStream() = default;
  /// Ends the stream if it is stalled or past its deadline. Called often; must not block.
  virtual void CheckTime(std::chrono::steady_clock::time_point now) = 0;
  /// Ends the stream because the server stops.
  virtual void Abort() = 0;
};

/// Knows all open streams: watches their clocks from one thread and lets a stopping server wait for
/// them. Thread-safe. A stream's methods are called with the monitor's lock held, so they must not
/// call back.
class StreamMonitor {
 public:
  /// `on_tick` runs with every look at the streams, without the monitor's lock; while there are
  /// none, less often.
  explicit StreamMonitor(std::function<void()> on_tick = [] {});
  /// REQUIRES: no stream is left.
  ~StreamMonitor();

  void Add(MonitoredStream& stream);
  /// Returns once no call into `stream` is under way.
  void Remove(MonitoredStream& stream);

  /// Waits until no stream is open; false if that takes longer than `timeout`.
  bool WaitUntilEmpty(std::chrono::duration<double> timeout);
  void AbortAll();
  int size() const;

 private:
  void Loop();

  const std::function<void()> on_tick_;
  mutable std::mutex mu_;
  std::condition_variable changed_;
  std::set<MonitoredStream*> streams_;  // guarded by mu_
  bool stopping_ = false;               // guarded by mu_
  std::thread thread_;
};

}  // namespace nnseg

#endif  // NNSEG_SERVER_STREAM_MONITOR_H_
