#ifndef NNSEG_CORE_INFERENCE_NETWORK_LOADER_H_
#define NNSEG_CORE_INFERENCE_NETWORK_LOADER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
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
  /// Loads `file` (an absolute or relative path on this host). INVALID_ARGUMENT when the file is no
  /// network of that signature; the text names the file's base name.
  virtual absl::StatusOr<std::unique_ptr<PatchNetwork>> Load(const std::string& file,
                                                             const PatchSignature& signature) = 0;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_NETWORK_LOADER_H_
