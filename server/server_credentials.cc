#include "server/server_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/event_log.h"

namespace nnseg {
namespace {

using Clock = std::chrono::steady_clock;

/// The contents of the TLS files.
struct TlsFiles {
  std::string certificate_chain;
  std::string private_key;
  std::string client_ca;  ///< empty: clients need no certificate

  bool operator==(const TlsFiles&) const = default;
};

absl::StatusOr<std::string> ReadPem(const char* field, const std::string& path) {
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (text.find("-----BEGIN ") == std::string::npos ||
      text.find("-----END ") == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": cannot read a PEM file at ", path));
  }
  return text;
}

absl::StatusOr<TlsFiles> ReadFiles(const TlsConfig& config) {
  TlsFiles files;
  NNSEG_ASSIGN_OR_RETURN(files.certificate_chain,
                         ReadPem("tls.certificate_file", config.certificate_file()));
  NNSEG_ASSIGN_OR_RETURN(files.private_key,
                         ReadPem("tls.private_key_file", config.private_key_file()));
  if (!config.client_ca_file().empty()) {
    NNSEG_ASSIGN_OR_RETURN(files.client_ca, ReadPem("tls.client_ca_file", config.client_ca_file()));
  }
  return files;
}

/// TLS whose handshakers ask for new files. gRPC's own file watcher drops the old certificate as
/// soon as it meets a bad file; with the fetcher of gRPC's C API a bad file changes nothing.
class ReloadingTlsCredentials final : public grpc::ServerCredentials {
 public:
  explicit ReloadingTlsCredentials(const TlsConfig& config)
      : config_(config), interval_(config.reload_seconds()) {
    const auto request = config.client_ca_file().empty()
                             ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                             : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
    credentials_ = grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(request, &Fetch, this));
  }
  ~ReloadingTlsCredentials() override { grpc_server_credentials_release(credentials_); }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  /// gRPC's question before each handshake: is there something new?
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<ReloadingTlsCredentials*>(self)->Fetch(config);
  }

  grpc_ssl_certificate_config_reload_status Fetch(grpc_ssl_server_certificate_config** config) {
    std::lock_guard lock(mu_);
    const auto now = Clock::now();
    if (now < next_look_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    next_look_ = now + interval_;
    absl::StatusOr<TlsFiles> files = ReadFiles(config_);
    if (!files.ok()) {
      LogEvent(LogLevel::kError, "tls_reload_failed", {{"message", files.status().message()}});
      return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
    }
    if (*files == files_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    files_ = *std::move(files);
    const grpc_ssl_pem_key_cert_pair pair{files_.private_key.c_str(),
                                          files_.certificate_chain.c_str()};
    // gRPC insists on an authority, even where it asks for no client certificate.
    const std::string& authority =
        files_.client_ca.empty() ? files_.certificate_chain : files_.client_ca;
    *config = grpc_ssl_server_certificate_config_create(authority.c_str(), &pair, 1);
    LogEvent(LogLevel::kInfo, "tls_reload");
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const TlsConfig config_;
  const std::chrono::seconds interval_;
  grpc_server_credentials* credentials_ = nullptr;
  std::mutex mu_;
  Clock::time_point next_look_{};  // guarded by mu_
  TlsFiles files_;                 // last handed over, guarded by mu_
};

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const TlsConfig& config) {
  if (config.certificate_file().empty()) return grpc::InsecureServerCredentials();
  NNSEG_RETURN_IF_ERROR(ReadFiles(config).status());
  return std::make_shared<ReloadingTlsCredentials>(config);
}

}  // namespace nnseg
