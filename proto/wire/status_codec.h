#ifndef NNSEG_PROTO_WIRE_STATUS_CODEC_H_
#define NNSEG_PROTO_WIRE_STATUS_CODEC_H_

#include <grpcpp/support/status.h>

#include <cstddef>

#include "absl/status/status.h"

namespace nnseg {

/// Longest status message that is sent: it travels in the trailers, where a peer may refuse more.
inline constexpr std::size_t kMaxStatusMessageBytes = 1024;

/// Both enumerations hold the same codes by number. A message that is too long is cut at a whole
/// UTF-8 character.
grpc::Status ToGrpcStatus(const absl::Status& status);

/// A code outside the canonical ones becomes UNKNOWN.
absl::Status FromGrpcStatus(const grpc::Status& status);

/// "INVALID_ARGUMENT", for logs and metrics.
const char* NameOf(absl::StatusCode code);

}  // namespace nnseg

#endif  // NNSEG_PROTO_WIRE_STATUS_CODEC_H_
