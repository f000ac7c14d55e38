#ifndef NNSEG_CLIENT_COMMANDS_HEALTH_H_
#define NNSEG_CLIENT_COMMANDS_HEALTH_H_

#include <string>

#include "client/commands/connection_options.h"

namespace nnseg {

/// Arguments of `nnseg health`.
struct HealthArguments {
  std::string service;  ///< full name; empty: the server as a whole
  ConnectionOptions connection;
};

/// Adds the command's arguments.
void DefineHealth(CLI::App& command, HealthArguments& arguments);

/// Asks the standard health service and prints its answer; kUnavailable unless it is SERVING.
ExitCode RunHealth(const HealthArguments& arguments);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_COMMANDS_HEALTH_H_
