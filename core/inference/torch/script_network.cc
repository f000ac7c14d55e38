#include "core/inference/torch/script_network.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/float_environment.h"
#include "core/base/status_macros.h"
#include "core/inference/pass_buffers.h"
#include "core/inference/torch/torch_guard.h"

namespace nnseg {
namespace {

/// fp16 autocast while in scope, with torch's own list of operations: how nnU-Net runs on CUDA.
class ScopedCudaAutocast {
 public:
  explicit ScopedCudaAutocast(bool enable) : enable_(enable) {
    if (!enable_) return;
    before_ = at::autocast::is_autocast_enabled(at::kCUDA);
    at::autocast::set_autocast_enabled(at::kCUDA, true);
    at::autocast::set_autocast_dtype(at::kCUDA, at::kHalf);
    at::autocast::increment_nesting();
  }
  ~ScopedCudaAutocast() {
    if (!enable_) return;
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCUDA, before_);
  }
  ScopedCudaAutocast(const ScopedCudaAutocast&) = delete;
  ScopedCudaAutocast& operator=(const ScopedCudaAutocast&) = delete;

 private:
  const bool enable_;
  bool before_ = false;
};

// What a network takes and gives: 1 x channels x patch, the patch in its own dimensions.
std::vector<int64_t> BatchOfOne(int64_t channels, const PatchSignature& signature) {
  std::vector<int64_t> shape{1, channels};
  const Shape3& patch = signature.patch_size;
  shape.insert(shape.end(), patch.end() - signature.patch_dimensions, patch.end());
  return shape;
}

class ScriptNetwork : public PatchNetwork {
 public:
  ScriptNetwork(torch::jit::Module module, const PatchSignature& signature,
                const TorchDevice& device)
      : module_(std::move(module)), signature_(signature), device_(device) {}

  const PatchSignature& signature() const override { return signature_; }
  std::string engine() const override { return "torch"; }
  std::string precision() const override { return device_.is_cuda ? "fp16" : "fp32"; }

  absl::Status Run(std::span<const float> input, std::span<float> output) override {
    NNSEG_RETURN_IF_ERROR(CheckPassBuffers(signature_, input, output));
    const ScopedSubnormals subnormals;
    return GuardTorch([&] { return Forward(input, output); });
  }

 private:
  absl::Status Forward(std::span<const float> input, std::span<float> output) {
    const c10::InferenceMode inference;
    // The graph as it was traced: no profiling runs, no fusion, the same bits from the first pass.
    const torch::jit::GraphOptimizerEnabledGuard no_optimizer(false);
    const ScopedCudaAutocast autocast(device_.is_cuda);

    // from_blob takes no const data; the network only reads its input.
    const at::Tensor patch =
        at::from_blob(const_cast<float*>(input.data()),
                      BatchOfOne(signature_.input_channels, signature_), at::kFloat)
            .to(device_.name());
    const at::Tensor logits = module_.forward({patch}).toTensor();
    const std::vector<int64_t> expected = BatchOfOne(signature_.output_channels, signature_);
    if (logits.sizes() != at::IntArrayRef(expected)) {
      return absl::InvalidArgumentError(absl::StrCat("the network's output is ",
                                                     absl::StrJoin(logits.sizes(), "x"),
                                                     ", expected ", absl::StrJoin(expected, "x")));
    }
    at::from_blob(output.data(), expected, at::kFloat).copy_(logits);
    return absl::OkStatus();
  }

  torch::jit::Module module_;
  const PatchSignature signature_;
  const TorchDevice device_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<PatchNetwork>> LoadScriptNetwork(const std::string& file,
                                                                const PatchSignature& signature,
                                                                const TorchDevice& device) {
  const std::string name = std::filesystem::path(file).filename().string();
  std::unique_ptr<ScriptNetwork> network;
  absl::Status status = GuardTorch([&] {
    if (device.is_cuda) at::globalContext().setBenchmarkCuDNN(true);  // as nnU-Net does
    torch::jit::Module module = torch::jit::load(file, at::Device(device.name()));
    module.eval();
    network = std::make_unique<ScriptNetwork>(std::move(module), signature, device);
    return absl::OkStatus();
  });
  if (status.ok()) {
    std::vector<float> zeros(static_cast<std::size_t>(signature.input_size()));
    std::vector<float> logits(static_cast<std::size_t>(signature.output_size()));
    status = network->Run(zeros, logits);
  }
  if (status.ok()) return network;
  // Whatever is wrong but memory lies in the file.
  const std::string message = absl::StrCat(name, ": ", status.message());
  return absl::IsResourceExhausted(status) ? absl::ResourceExhaustedError(message)
                                           : absl::InvalidArgumentError(message);
}

}  // namespace nnseg
