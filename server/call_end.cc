#include "server/call_end.h"

namespace nnseg {
namespace {

using Clock = std::chrono::steady_clock;

/// The client's deadline comes by the system's clock and over the wire: this near counts as passed.
constexpr std::chrono::milliseconds kDeadlineSlack(50);

}  // namespace

Clock::time_point DeadlineOf(const grpc::CallbackServerContext& context,
                             std::chrono::duration<double> limit) {
  const auto limit_end = Clock::now() + std::chrono::duration_cast<Clock::duration>(limit);
  const auto left = context.deadline() - std::chrono::system_clock::now();
  return left < limit ? Clock::now() + left : limit_end;
}

absl::Status TimedOutError() {
  return absl::DeadlineExceededError("the request's deadline has passed");
}

absl::Status StoppingError() {
  return absl::UnavailableError("the server is stopping: try another one");
}

absl::Status CancelReason(Clock::time_point deadline) {
  return Clock::now() + kDeadlineSlack >= deadline
             ? TimedOutError()
             : absl::CancelledError("the client cancelled the call");
}

const char* RejectionReason(absl::StatusCode code, const char* known) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnimplemented:
      return "invalid";
    case absl::StatusCode::kDeadlineExceeded:
      return known != nullptr ? known : "deadline";
    case absl::StatusCode::kResourceExhausted:
      return known != nullptr ? known : "oom";
    case absl::StatusCode::kUnavailable:
      return "draining";
    default:
      return nullptr;
  }
}

LogLevel LevelOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnavailable:
      return LogLevel::kInfo;
    case absl::StatusCode::kResourceExhausted:
      return LogLevel::kWarning;
    default:
      return LogLevel::kError;
  }
}

}  // namespace nnseg
