#ifndef NNSEG_SERVER_CALL_END_H_
#define NNSEG_SERVER_CALL_END_H_

#include <grpcpp/server_context.h>

#include <chrono>

#include "absl/status/status.h"
#include "server/event_log.h"

namespace nnseg {

/// How streams end, whatever they carry: times, texts, and what metrics and log make of them.

/// The earlier of the client's deadline and the server's limit.
std::chrono::steady_clock::time_point DeadlineOf(const grpc::CallbackServerContext& context,
                                                 std::chrono::duration<double> limit);

/// The deadline has passed.
absl::Status TimedOutError();
/// The server drains.
absl::Status StoppingError();
/// Why gRPC cancelled a call just now.
absl::Status CancelReason(std::chrono::steady_clock::time_point deadline);

/// The reason for Metrics::Rejected; null when the status is no refusal. `known` is what the stream
/// itself knows of a DEADLINE_EXCEEDED or RESOURCE_EXHAUSTED; may be null.
const char* RejectionReason(absl::StatusCode code, const char* known);

/// How severe the end is for the server. From kWarning on its message belongs in the log; below it
/// may quote the client and stays out.
LogLevel LevelOf(absl::StatusCode code);

}  // namespace nnseg

#endif  // NNSEG_SERVER_CALL_END_H_
