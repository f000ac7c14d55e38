#ifndef NNSEG_CLIENT_CONNECTION_H_
#define NNSEG_CLIENT_CONNECTION_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace nnseg {

/// TLS of a connection; all file names. PEM.
struct TlsOptions {
  std::string ca;           ///< certificates to trust; empty: the system's
  std::string certificate;  ///< the client's own, for mutual TLS; with `key` or not at all
  std::string key;          ///< the client's private key
  std::string server_name;  ///< name that the server's certificate must carry; empty: the host's

  bool enabled() const {
    return !ca.empty() || !certificate.empty() || !key.empty() || !server_name.empty();
  }
};

/// Opens a channel to `server` ("host:port"), its connection not shared with other channels:
/// plaintext unless a field of `tls` is set. Tries to connect for up to half a second; where that
/// fails, the channel's calls say so. INVALID_ARGUMENT when a TLS file cannot be read or only one
/// of certificate and key is given.
absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(const std::string& server,
                                                           const TlsOptions& tls);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_CONNECTION_H_
