#ifndef NNSEG_SERVER_SERVER_CREDENTIALS_H_
#define NNSEG_SERVER_SERVER_CREDENTIALS_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "absl/status/statusor.h"
#include "server/server_config.pb.h"

namespace nnseg {

/// Credentials of the gRPC port: plain without a certificate, else TLS whose files are watched,
/// with client certificates required when a client authority is named. INVALID_ARGUMENT when a file
/// cannot be read; the text names the field.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const TlsConfig& config);

}  // namespace nnseg

#endif  // NNSEG_SERVER_SERVER_CREDENTIALS_H_
