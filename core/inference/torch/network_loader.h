#ifndef NNSEG_CORE_INFERENCE_TORCH_NETWORK_LOADER_H_
#define NNSEG_CORE_INFERENCE_TORCH_NETWORK_LOADER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/inference/network_loader.h"

namespace nnseg {

/// The engine "torch": TorchScript files on LibTorch, in fp32 on "cpu" (nnU-Net's bits at the same
/// number of threads) or under fp16 autocast on "cuda:N", as nnU-Net runs there. Errors as
/// ParseTorchDevice.
///
/// Its Load makes one pass through the network, so call it on the device's thread.
absl::StatusOr<std::shared_ptr<NetworkLoader>> MakeTorchLoader(const std::string& device);

/// Lets torch use `threads` threads for operations called from this thread; for a TileScheduler's
/// on_start. REQUIRES: threads >= 1.
void SetTorchThreads(int threads);

/// Whether torch was built for CUDA and finds a device.
bool TorchCudaAvailable();

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TORCH_NETWORK_LOADER_H_
