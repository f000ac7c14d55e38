#ifndef NNSEG_CORE_INFERENCE_TORCH_SCRIPT_NETWORK_H_
#define NNSEG_CORE_INFERENCE_TORCH_SCRIPT_NETWORK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/inference/device_memory.h"
#include "core/inference/patch_network.h"
#include "core/inference/torch/device_stream.h"
#include "core/inference/torch/network_loader.h"

namespace nnseg {

/// Loads a TorchScript file onto the stream's device and proves its signature by one pass over the
/// probe tile, on the calling thread. On CUDA it then goes over to fp16 if that is the `precision`,
/// chooses its layout and batch and records its passes. It keeps volumes where `memory`, of the
/// stream's device, is not null, and holds its share of it. INVALID_ARGUMENT when the file is no
/// TorchScript or has another signature; FAILED_PRECONDITION when fp16 does not pass the probe
/// (probe_tile.h). REQUIRES: `precision` is "fp32", or on CUDA "fp16".
absl::StatusOr<std::unique_ptr<PatchNetwork>> LoadScriptNetwork(
    const std::string& file, const PatchSignature& signature, const std::string& precision,
    const std::shared_ptr<DeviceStream>& stream, const std::shared_ptr<DeviceMemory>& memory,
    const TorchOptions& options);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TORCH_SCRIPT_NETWORK_H_
