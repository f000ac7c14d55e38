#ifndef NNSEG_SERVER_ENGINES_H_
#define NNSEG_SERVER_ENGINES_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "core/model/loaded_model.h"
#include "server/server_config.pb.h"

namespace nnseg {

/// The engines that this program was built with and that this host can run, in the configured order
/// of preference. On a GPU they may hold `device_memory_bytes`, as LimitConfig has it.
/// FAILED_PRECONDITION when there is none, or when a configured one is not built in.
absl::StatusOr<Engines> MakeEngines(const EngineConfig& config, int64_t device_memory_bytes = 0);

}  // namespace nnseg

#endif  // NNSEG_SERVER_ENGINES_H_
