#include "core/inference/torch/device.h"

#include <torch/cuda.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "core/inference/torch/network_loader.h"
#include "core/inference/torch/torch_guard.h"

namespace nnseg {
namespace {

int CudaDevices() {
  int count = 0;
  const absl::Status status = GuardTorch([&count] {
    count = torch::cuda::is_available() ? static_cast<int>(torch::cuda::device_count()) : 0;
    return absl::OkStatus();
  });
  return status.ok() ? count : 0;
}

}  // namespace

std::string TorchDevice::name() const { return is_cuda ? absl::StrCat("cuda:", index) : "cpu"; }

absl::StatusOr<TorchDevice> ParseTorchDevice(const std::string& name) {
  TorchDevice device;
  if (name == "cpu") return device;
  device.is_cuda = true;
  absl::string_view index = name;
  const bool numbered = absl::ConsumePrefix(&index, "cuda:");
  if (name != "cuda" &&
      !(numbered && absl::SimpleAtoi(index, &device.index) && device.index >= 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("device is '", name, "', expected 'cpu' or 'cuda:N'"));
  }
  if (const int count = CudaDevices(); device.index >= count) {
    return absl::FailedPreconditionError(
        absl::StrCat("device is '", name, "', but torch finds ", count, " CUDA devices"));
  }
  return device;
}

bool TorchCudaAvailable() { return CudaDevices() > 0; }

}  // namespace nnseg
