#ifndef NNSEG_CLIENT_COMMANDS_CONNECTION_OPTIONS_H_
#define NNSEG_CLIENT_COMMANDS_CONNECTION_OPTIONS_H_

#include <chrono>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "client/connection.h"
#include "client/exit_code.h"

namespace CLI {
class App;
}  // namespace CLI

namespace nnseg {

/// What every command needs in order to reach its server.
struct ConnectionOptions {
  std::string server = "localhost:8001";
  TlsOptions tls;
  double deadline_s = 0;  ///< for each call; 0: none

  std::optional<std::chrono::milliseconds> timeout() const;
};

/// Adds --server, --tls-* and --deadline to a command.
void DefineConnectionOptions(CLI::App& command, ConnectionOptions& options);

/// Prints "nnseg: error: ..." and returns `code`.
ExitCode Fail(ExitCode code, const absl::Status& status);
/// The same for the status of a call, whose code is named.
ExitCode FailCall(const absl::Status& status);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_COMMANDS_CONNECTION_OPTIONS_H_
