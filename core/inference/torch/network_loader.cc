#include "core/inference/torch/network_loader.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/inference/torch/device.h"
#include "core/inference/torch/device_stream.h"
#include "core/inference/torch/host_memory.h"
#include "core/inference/torch/instance_norm.h"
#include "core/inference/torch/script_network.h"

namespace nnseg {
namespace {

class TorchLoader : public NetworkLoader {
 public:
  TorchLoader(std::shared_ptr<DeviceStream> stream, std::shared_ptr<DeviceMemory> memory,
              TorchOptions options)
      : stream_(std::move(stream)), memory_(std::move(memory)), options_(std::move(options)) {}

  std::string engine() const override { return "torch"; }
  std::string device() const override { return stream_->device().name(); }
  std::shared_ptr<DeviceMemory> device_memory() const override { return memory_; }
  absl::Status Supports(const std::string& precision) const override {
    const bool is_cuda = stream_->device().is_cuda;
    if (precision == "fp32" || (precision == "fp16" && is_cuda)) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("torch computes in fp32", is_cuda ? " and fp16" : "", " on this device"));
  }
  absl::StatusOr<std::unique_ptr<PatchNetwork>> Load(const std::string& file,
                                                     const PatchSignature& signature,
                                                     const std::string& precision) override {
    NNSEG_RETURN_IF_ERROR(Supports(precision));
    return LoadScriptNetwork(file, signature, precision, stream_, memory_, options_);
  }

 private:
  const std::shared_ptr<DeviceStream> stream_;
  const std::shared_ptr<DeviceMemory> memory_;  // null: no volume is kept
  const TorchOptions options_;
};

absl::StatusOr<int64_t> DefaultBudget(DeviceStream& stream) {
  int64_t free = 0;
  NNSEG_RETURN_IF_ERROR(stream.Run([&] {
    free = stream.FreeBytes();
    return absl::OkStatus();
  }));
  return free / 10 * 9;
}

}  // namespace

absl::StatusOr<std::shared_ptr<NetworkLoader>> MakeTorchLoader(const std::string& device,
                                                               TorchOptions options) {
  NNSEG_ASSIGN_OR_RETURN(const TorchDevice parsed, ParseTorchDevice(device));
  if (parsed.is_cuda) {
    at::globalContext().setBenchmarkCuDNN(true);   // as nnU-Net does
    at::globalContext().setAllowTF32CuDNN(false);  // what is called fp32 is
  }
  KeepMemoryOfTensors();
  InterleaveInstanceNorm();
  NNSEG_ASSIGN_OR_RETURN(std::shared_ptr<DeviceStream> stream, DeviceStream::Create(parsed));
  std::shared_ptr<DeviceMemory> memory;
  if (parsed.is_cuda || options.windows_on_cpu) {
    int64_t budget = options.device_memory_bytes;
    if (parsed.is_cuda && budget == 0) {
      NNSEG_ASSIGN_OR_RETURN(budget, DefaultBudget(*stream));
    }
    memory = std::make_shared<DeviceMemory>(budget);
  }
  return std::make_shared<TorchLoader>(std::move(stream), std::move(memory), std::move(options));
}

void SetTorchThreads(int threads) { at::set_num_threads(threads); }

}  // namespace nnseg
