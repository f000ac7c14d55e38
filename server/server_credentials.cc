#include "server/server_credentials.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

namespace tls = grpc::experimental;

/// A file that is missing at start is a mistake; while serving, a bad file keeps the old one.
absl::Status ExpectPem(const char* field, const std::string& path) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("-----BEGIN ", 0) == 0) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(field, ": cannot read a PEM file at ", path));
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const TlsConfig& config) {
  if (config.certificate_file().empty()) return grpc::InsecureServerCredentials();
  const bool mutual = !config.client_ca_file().empty();
  NNSEG_RETURN_IF_ERROR(ExpectPem("tls.certificate_file", config.certificate_file()));
  NNSEG_RETURN_IF_ERROR(ExpectPem("tls.private_key_file", config.private_key_file()));
  if (mutual) NNSEG_RETURN_IF_ERROR(ExpectPem("tls.client_ca_file", config.client_ca_file()));

  const auto interval = static_cast<unsigned>(config.reload_seconds());
  const auto provider = mutual
                            ? std::make_shared<tls::FileWatcherCertificateProvider>(
                                  config.private_key_file(), config.certificate_file(),
                                  config.client_ca_file(), interval)
                            : std::make_shared<tls::FileWatcherCertificateProvider>(
                                  config.private_key_file(), config.certificate_file(), interval);
  tls::TlsServerCredentialsOptions options(provider);
  options.watch_identity_key_cert_pairs();
  if (mutual) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return tls::TlsServerCredentials(options);
}

}  // namespace nnseg
