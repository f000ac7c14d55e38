#ifndef NNSEG_SERVER_SERVER_CONFIG_H_
#define NNSEG_SERVER_SERVER_CONFIG_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/server_config.pb.h"

namespace nnseg {

/// Merges a text proto over `config`; fields that the text leaves out keep their value.
/// INVALID_ARGUMENT with line and column for an unknown field or a bad value.
absl::Status MergeConfigText(const std::string& text, ServerConfig& config);

/// The same from a file. NOT_FOUND when it cannot be read.
absl::Status MergeConfigFile(const std::string& path, ServerConfig& config);

/// INVALID_ARGUMENT, naming the field, for values that cannot work.
absl::Status ValidateConfig(const ServerConfig& config);

/// The configuration with every default written out, on one line, for the log.
std::string EffectiveConfigText(const ServerConfig& config);

}  // namespace nnseg

#endif  // NNSEG_SERVER_SERVER_CONFIG_H_
