#include "server/engines.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/parallel_for.h"
#include "core/base/status_macros.h"
#include "server/event_log.h"
#ifdef NNSEG_WITH_OPENVINO
#include "core/inference/openvino/network_loader.h"
#endif
#ifdef NNSEG_WITH_TORCH
#include "core/inference/torch/network_loader.h"
#endif

namespace nnseg {
namespace {

#ifdef NNSEG_WITH_TORCH
constexpr bool kWithTorch = true;
bool HasGpu() { return TorchCudaAvailable(); }
absl::StatusOr<std::shared_ptr<NetworkLoader>> MakeTorch(int64_t device_memory_bytes) {
  return MakeTorchLoader(
      HasGpu() ? "cuda:0" : "cpu",
      {.device_memory_bytes = device_memory_bytes, .note = [](const std::string& text) {
         LogEvent(LogLevel::kWarning, "engine_note", {{"text", text}});
       }});
}
void PrepareDeviceThread(int threads) { SetTorchThreads(threads); }
#else
constexpr bool kWithTorch = false;
bool HasGpu() { return false; }
absl::StatusOr<std::shared_ptr<NetworkLoader>> MakeTorch(int64_t) { return nullptr; }
void PrepareDeviceThread(int) {}
#endif

#ifdef NNSEG_WITH_OPENVINO
constexpr bool kWithOpenvino = true;
std::shared_ptr<NetworkLoader> MakeOpenvino(int threads) { return MakeOpenvinoLoader(threads); }
#else
constexpr bool kWithOpenvino = false;
std::shared_ptr<NetworkLoader> MakeOpenvino(int) { return nullptr; }
#endif

std::vector<std::string> Preference(const EngineConfig& config) {
  if (config.preference_size() > 0) {
    return {config.preference().begin(), config.preference().end()};
  }
  std::vector<std::string> order;
  if (kWithOpenvino) order.emplace_back("openvino");
  if (kWithTorch) order.insert(HasGpu() ? order.begin() : order.end(), "torch");
  return order;
}

}  // namespace

absl::StatusOr<Engines> MakeEngines(const EngineConfig& config, int64_t device_memory_bytes) {
  if (config.threads() > 0) SetHostThreads(config.threads());
  const int threads = HostThreads();
  const std::vector<std::string> precisions(config.precisions().begin(), config.precisions().end());
  std::map<std::string, std::shared_ptr<TileScheduler>> schedulers;  // by device
  Engines engines;
  for (const std::string& name : Preference(config)) {
    std::shared_ptr<NetworkLoader> loader;
    if (name == "openvino") {
      loader = MakeOpenvino(threads);
    } else {
      NNSEG_ASSIGN_OR_RETURN(loader, MakeTorch(device_memory_bytes));
    }
    if (loader == nullptr) {
      return absl::FailedPreconditionError(
          absl::StrCat("engines.preference has ", name, ", which this build leaves out"));
    }
    std::shared_ptr<TileScheduler>& scheduler = schedulers[loader->device()];
    if (scheduler == nullptr) {
      scheduler = std::make_shared<TileScheduler>([threads] { PrepareDeviceThread(threads); });
    }
    engines.push_back({std::move(loader), scheduler, precisions});
  }
  if (engines.empty()) {
    return absl::FailedPreconditionError("this build has no inference engine");
  }
  return engines;
}

}  // namespace nnseg
