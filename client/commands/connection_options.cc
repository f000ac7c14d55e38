#include "client/commands/connection_options.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "proto/wire/status_codec.h"

namespace nnseg {

std::optional<std::chrono::milliseconds> ConnectionOptions::timeout() const {
  if (deadline_s <= 0) return std::nullopt;
  return std::chrono::milliseconds(static_cast<int64_t>(deadline_s * 1000));
}

void DefineConnectionOptions(CLI::App& command, ConnectionOptions& options) {
  command.add_option("--server", options.server, "The server")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  command.add_option("--deadline", options.deadline_s, "Give up after this many seconds")
      ->type_name("SECONDS")
      ->check(CLI::PositiveNumber);
  constexpr const char* kTls = "TLS (used when one of these is given)";
  command.add_option("--tls-ca", options.tls.ca, "Certificates to trust; default: the system's")
      ->type_name("FILE")
      ->group(kTls);
  auto* certificate =
      command.add_option("--tls-cert", options.tls.certificate, "The client's certificate")
          ->type_name("FILE")
          ->group(kTls);
  auto* key = command.add_option("--tls-key", options.tls.key, "The client's private key")
                  ->type_name("FILE")
                  ->group(kTls);
  certificate->needs(key);
  key->needs(certificate);
  command
      .add_option("--tls-server-name", options.tls.server_name,
                  "Name in the server's certificate; default: the host's")
      ->type_name("NAME")
      ->group(kTls);
}

ExitCode Fail(ExitCode code, const absl::Status& status) {
  std::fprintf(stderr, "nnseg: error: %s\n", std::string(status.message()).c_str());
  return code;
}

ExitCode FailCall(const absl::Status& status) {
  std::fprintf(stderr, "nnseg: error: %s: %s\n", NameOf(status.code()),
               std::string(status.message()).c_str());
  return ExitCodeFor(status.code());
}

}  // namespace nnseg
