#ifndef NNSEG_CORE_INFERENCE_TORCH_SCRIPT_NETWORK_H_
#define NNSEG_CORE_INFERENCE_TORCH_SCRIPT_NETWORK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/inference/patch_network.h"
#include "core/inference/torch/device.h"

namespace nnseg {

/// Loads a TorchScript file onto `device` and proves its signature by one pass over zeros, on the
/// calling thread. INVALID_ARGUMENT when the file is no TorchScript or has another signature.
absl::StatusOr<std::unique_ptr<PatchNetwork>> LoadScriptNetwork(const std::string& file,
                                                                const PatchSignature& signature,
                                                                const TorchDevice& device);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TORCH_SCRIPT_NETWORK_H_
