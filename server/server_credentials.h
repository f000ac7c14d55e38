#ifndef NNSEG_SERVER_SERVER_CREDENTIALS_H_
#define NNSEG_SERVER_SERVER_CREDENTIALS_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "absl/status/statusor.h"
#include "server/server_config.pb.h"

namespace nnseg {

/// Credentials of the gRPC port: plain without a certificate, else TLS whose files are read again
/// while serving, with client certificates required when a client authority is named. Must outlive
/// the gRPC server. INVALID_ARGUMENT, naming the field, when a file is no PEM file.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const TlsConfig& config);

}  // namespace nnseg

#endif  // NNSEG_SERVER_SERVER_CREDENTIALS_H_
