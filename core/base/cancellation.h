#ifndef NNSEG_CORE_BASE_CANCELLATION_H_
#define NNSEG_CORE_BASE_CANCELLATION_H_

#include <atomic>
#include <chrono>
#include <memory>

#include "absl/status/status.h"

namespace nnseg {

/// A request's wish to stop, shared by everything that works for it. A case polls it before each
/// tile, so work ends within one tile. The reasons are a cancelled call and a passed deadline.
///
/// Copies share one state. Thread-safe.
class CancellationToken {
 public:
  using Clock = std::chrono::steady_clock;

  /// A token without a deadline.
  CancellationToken();
  /// A token that counts as stopped once `deadline` has passed.
  explicit CancellationToken(Clock::time_point deadline);

  /// Asks for the work to stop. Idempotent; callable from any thread.
  void Cancel() const;

  /// OK, CANCELLED after Cancel(), or DEADLINE_EXCEEDED after the deadline. Cancel() wins.
  absl::Status Check() const;

  Clock::time_point deadline() const { return state_->deadline; }

 private:
  struct State {
    std::atomic<bool> cancelled{false};
    Clock::time_point deadline = Clock::time_point::max();
  };
  std::shared_ptr<State> state_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_BASE_CANCELLATION_H_
