#ifndef NNSEG_CORE_INFERENCE_TORCH_DEVICE_H_
#define NNSEG_CORE_INFERENCE_TORCH_DEVICE_H_

#include <string>

#include "absl/status/statusor.h"

namespace nnseg {

/// Where torch keeps and runs a network.
struct TorchDevice {
  bool is_cuda = false;
  int index = 0;  ///< of the CUDA device

  /// "cpu", "cuda:0": a name that both ParseTorchDevice and torch understand.
  std::string name() const;
};

/// Reads "cpu", "cuda" (the first) or "cuda:N". INVALID_ARGUMENT for any other text,
/// FAILED_PRECONDITION when this host or this build has no such device.
absl::StatusOr<TorchDevice> ParseTorchDevice(const std::string& name);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TORCH_DEVICE_H_
