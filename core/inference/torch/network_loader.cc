#include "core/inference/torch/network_loader.h"

#include <ATen/Parallel.h>

#include <utility>

#include "core/base/status_macros.h"
#include "core/inference/torch/device.h"
#include "core/inference/torch/script_network.h"

namespace nnseg {
namespace {

class TorchLoader : public NetworkLoader {
 public:
  explicit TorchLoader(TorchDevice device) : device_(device) {}

  std::string engine() const override { return "torch"; }
  std::string device() const override { return device_.name(); }
  absl::StatusOr<std::unique_ptr<PatchNetwork>> Load(const std::string& file,
                                                     const PatchSignature& signature) override {
    return LoadScriptNetwork(file, signature, device_);
  }

 private:
  const TorchDevice device_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<NetworkLoader>> MakeTorchLoader(const std::string& device) {
  NNSEG_ASSIGN_OR_RETURN(const TorchDevice parsed, ParseTorchDevice(device));
  return std::make_shared<TorchLoader>(parsed);
}

void SetTorchThreads(int threads) { at::set_num_threads(threads); }

}  // namespace nnseg
