#ifndef NNSEG_CORE_INFERENCE_NETWORK_LOADER_H_
#define NNSEG_CORE_INFERENCE_NETWORK_LOADER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/inference/device_memory.h"
#include "core/inference/patch_network.h"

namespace nnseg {

/// Turns an engine's file of one fold into a resident network. One loader per engine and device;
/// the program's main function makes them and hands them down, so nothing else links an engine.
/// Thread-safe.
class NetworkLoader {
 public:
  virtual ~NetworkLoader() = default;

  /// "torch" or "openvino": the key under which a bundle's manifest lists the engine's files.
  virtual std::string engine() const = 0;
  /// The device whose TileScheduler runs this loader's networks: "cpu", "cuda:0".
  virtual std::string device() const = 0;
  /// The memory of that device, of which loaded networks hold their shares; null where networks
  /// compute in the host's.
  virtual std::shared_ptr<DeviceMemory> device_memory() const { return nullptr; }
  /// Whether the engine computes in `precision` ("fp32", "bf16", "int8", "int8_bf16", "fp16") and
  /// the device has the arithmetic for it; FAILED_PRECONDITION says which of the two it lacks. fp32
  /// is always OK.
  virtual absl::Status Supports(const std::string& precision) const = 0;
  /// Loads `file` (an absolute or relative path on this host) to run in `precision`; for int8 and
  /// int8_bf16 a file of a quantised network. INVALID_ARGUMENT when the file is no such network or
  /// has another signature; the text names the file's base name. FAILED_PRECONDITION when Supports
  /// gives it, or when the network does not stand the precision on this device.
  virtual absl::StatusOr<std::unique_ptr<PatchNetwork>> Load(const std::string& file,
                                                             const PatchSignature& signature,
                                                             const std::string& precision) = 0;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_NETWORK_LOADER_H_
