#ifndef NNSEG_CORE_INFERENCE_TORCH_NETWORK_LOADER_H_
#define NNSEG_CORE_INFERENCE_TORCH_NETWORK_LOADER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/inference/network_loader.h"

namespace nnseg {

/// How networks are run on CUDA; on the CPU only what says so counts.
struct TorchOptions {
  /// That networks, passes and cases may hold in all; 0: nine tenths of what is free now, since
  /// CUDA's libraries take memory that nobody counts.
  int64_t device_memory_bytes = 0;
  bool windows_on_cpu = false;  ///< keep volumes in tensors on the CPU, too: for tests
  /// Takes texts on what was decided at load: why a network's passes are not recorded.
  std::function<void(const std::string&)> note = [](const std::string&) {};
};

/// The engine "torch": TorchScript files on LibTorch, in fp32 (on "cpu" nnU-Net's bits at the same
/// number of threads) and on "cuda:N" also in fp16 under autocast, as nnU-Net runs there; a network
/// whose labels of the probe tile are then not those of fp32 is FAILED_PRECONDITION. Errors as
/// ParseTorchDevice.
///
/// Its Load makes passes through the network, so call it on the device's thread.
absl::StatusOr<std::shared_ptr<NetworkLoader>> MakeTorchLoader(const std::string& device,
                                                               TorchOptions options = {});

/// Lets torch use `threads` threads for operations called from this thread; for a TileScheduler's
/// on_start. REQUIRES: threads >= 1.
void SetTorchThreads(int threads);

/// Whether torch was built for CUDA and finds a device.
bool TorchCudaAvailable();

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TORCH_NETWORK_LOADER_H_
