#include "client/connection.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <chrono>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

constexpr int kKeepaliveTimeMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
constexpr int kMaxMessageBytes = (4 << 20) + (64 << 10);
constexpr int kReconnectDelayMs = 100;
constexpr std::chrono::milliseconds kConnectPatience{500};

/// Empty for an empty path.
absl::StatusOr<std::string> ReadPem(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || text.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": TLS file cannot be read or is empty"));
  }
  return text;
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeCredentials(const TlsOptions& tls) {
  if (!tls.enabled()) return grpc::InsecureChannelCredentials();
  if (tls.certificate.empty() != tls.key.empty()) {
    return absl::InvalidArgumentError(
        "got only one of the client's TLS certificate and key, expected both or neither");
  }
  grpc::SslCredentialsOptions options;
  NNSEG_ASSIGN_OR_RETURN(options.pem_root_certs, ReadPem(tls.ca));
  NNSEG_ASSIGN_OR_RETURN(options.pem_cert_chain, ReadPem(tls.certificate));
  NNSEG_ASSIGN_OR_RETURN(options.pem_private_key, ReadPem(tls.key));
  return grpc::SslCredentials(options);
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(const std::string& server,
                                                           const TlsOptions& tls) {
  NNSEG_ASSIGN_OR_RETURN(const auto credentials, MakeCredentials(tls));
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectDelayMs);
  if (!tls.server_name.empty()) arguments.SetSslTargetNameOverride(tls.server_name);
  auto channel = grpc::CreateCustomChannel(server, credentials, arguments);
  // A call on a channel whose last try to connect failed ends at once, and one failed try says
  // little: gRPC before 1.61 takes a connect() in progress for a failed one when errno changes
  // before it looks (grpc/grpc#35064). So several tries are made first.
  channel->WaitForConnected(std::chrono::system_clock::now() + kConnectPatience);
  return channel;
}

}  // namespace nnseg
