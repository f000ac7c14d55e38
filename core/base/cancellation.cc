#include "core/base/cancellation.h"

namespace nnseg {

CancellationToken::CancellationToken() : state_(std::make_shared<State>()) {}

CancellationToken::CancellationToken(Clock::time_point deadline) : CancellationToken() {
  state_->deadline = deadline;
}

void CancellationToken::Cancel() const { state_->cancelled.store(true, std::memory_order_relaxed); }

absl::Status CancellationToken::Check() const {
  if (state_->cancelled.load(std::memory_order_relaxed)) {
    return absl::CancelledError("the request was cancelled");
  }
  if (state_->deadline != Clock::time_point::max() && Clock::now() >= state_->deadline) {
    return absl::DeadlineExceededError("the deadline of the request has passed");
  }
  return absl::OkStatus();
}

}  // namespace nnseg
