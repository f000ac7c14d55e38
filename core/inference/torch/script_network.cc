#include "core/inference/torch/script_network.h"

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/inference/engine_error.h"
#include "core/inference/pass_buffers.h"
#include "core/inference/probe_tile.h"
#include "core/inference/torch/script_forward.h"
#include "core/inference/torch/torch_window.h"

namespace nnseg {
namespace {

// More patches at once gain nothing on a device that one patch fills.
constexpr int64_t kLargestBatch = 4;

class ScriptNetwork : public PatchNetwork {
 public:
  ScriptNetwork(std::unique_ptr<ScriptForward> forward, const PatchSignature& signature,
                std::shared_ptr<DeviceStream> stream, std::shared_ptr<DeviceMemory> memory)
      : signature_(signature),
        stream_(std::move(stream)),
        memory_(std::move(memory)),
        forward_(std::move(forward)) {}

  const PatchSignature& signature() const override { return signature_; }
  std::string engine() const override { return "torch"; }
  std::string precision() const override { return forward_->is_half() ? "fp16" : "fp32"; }
  int64_t max_batch() const override { return max_batch_; }

  absl::Status Run(std::span<const float> input, std::span<float> output) override {
    const PatchPass pass{input, output};
    return RunBatch({&pass, 1});
  }

  absl::Status RunBatch(std::span<const PatchPass> passes) override {
    for (const PatchPass& pass : passes) {
      NNSEG_RETURN_IF_ERROR(CheckPassBuffers(signature_, pass.input, pass.output));
    }
    // Only whole batches and single passes: kernels are chosen and recorded for those.
    const std::size_t batch = static_cast<int64_t>(passes.size()) == max_batch_ ? passes.size() : 1;
    for (std::size_t i = 0; i < passes.size(); i += batch) {
      NNSEG_RETURN_IF_ERROR(stream_->Run([&] { return Forward(passes.subspan(i, batch)); }));
    }
    return absl::OkStatus();
  }

  void ReleaseCaches() override { stream_->ReleaseCaches(); }

  bool keeps_volumes() const override { return memory_ != nullptr; }
  absl::StatusOr<std::unique_ptr<VolumeWindow>> OpenWindow(const WindowRequest& request) override {
    std::vector<ScriptForward*> forwards;
    int64_t batch = max_batch_;
    for (PatchNetwork* fold : request.folds) {
      auto* const network = dynamic_cast<ScriptNetwork*>(fold);
      if (network == nullptr || network->stream_ != stream_) return nullptr;
      forwards.push_back(network->forward_.get());
      batch = std::min(batch, network->max_batch_);
    }
    return OpenTorchWindow(request, std::move(forwards), stream_, batch);
  }
  int64_t WindowBytes(const WindowShape& shape) const override {
    return keeps_volumes() ? TorchWindowBytes(signature_, shape, max_batch_) : 0;
  }

  ScriptForward& forward() { return *forward_; }
  /// Counts what is resident now as this network's share of the device's memory.
  void HoldShare() {
    if (memory_ != nullptr) share_ = DeviceMemory::ShareOf(memory_, forward_->ResidentBytes());
  }
  /// Chooses the batch for passes whose call of the network takes `activation_bytes`. False when
  /// the budget has no room for even one pass.
  bool ReserveBatch(int64_t activation_bytes) {
    // A pass's patches, once more as a batch, and its logits as float.
    const int64_t copies = (2 * signature_.input_size() + signature_.output_size()) *
                           static_cast<int64_t>(sizeof(float));
    const int64_t batch = memory_->ReserveBatch(activation_bytes + copies, kLargestBatch);
    max_batch_ = std::max<int64_t>(1, batch);
    return batch >= 1;
  }

 private:
  absl::Status Forward(std::span<const PatchPass> passes) {
    const auto count = static_cast<int64_t>(passes.size());
    const at::Tensor batch =
        at::empty(forward_->BatchShape(count, signature_.input_channels),
                  at::TensorOptions().dtype(at::kFloat).device(stream_->device().name()));
    for (int64_t i = 0; i < count; ++i) {
      stream_->Upload(std::as_bytes(passes[i].input), batch.select(0, i));
    }
    at::Tensor logits = forward_->Run(batch);
    const auto expected = forward_->BatchShape(count, signature_.output_channels);
    if (logits.sizes() != at::IntArrayRef(expected)) {
      return absl::InvalidArgumentError(absl::StrCat("the network's output is ",
                                                     absl::StrJoin(logits.sizes(), "x"),
                                                     ", expected ", absl::StrJoin(expected, "x")));
    }
    logits = logits.to(at::kFloat).contiguous();
    for (int64_t i = 0; i < count; ++i) {
      stream_->Download(logits.select(0, i), std::as_writable_bytes(passes[i].output));
    }
    return absl::OkStatus();
  }

  const PatchSignature signature_;
  const std::shared_ptr<DeviceStream> stream_;
  const std::shared_ptr<DeviceMemory> memory_;  // null: no volume is kept
  const std::unique_ptr<ScriptForward> forward_;
  DeviceMemory::Share share_;
  int64_t max_batch_ = 1;
};

absl::StatusOr<std::unique_ptr<ScriptNetwork>> Read(const std::string& file,
                                                    const PatchSignature& signature,
                                                    const std::shared_ptr<DeviceStream>& stream,
                                                    const std::shared_ptr<DeviceMemory>& memory) {
  std::unique_ptr<ScriptNetwork> network;
  NNSEG_RETURN_IF_ERROR(stream->Run([&] {
    network = std::make_unique<ScriptNetwork>(
        std::make_unique<ScriptForward>(file, signature, *stream), signature, stream, memory);
    return absl::OkStatus();
  }));
  return network;
}

absl::StatusOr<std::vector<float>> RunProbe(PatchNetwork& network) {
  std::vector<float> logits(static_cast<std::size_t>(network.signature().output_size()));
  NNSEG_RETURN_IF_ERROR(network.Run(ProbeTile(network.signature()), logits));
  return logits;
}

// What makes passes fast on CUDA: layout, batch, recordings.
absl::Status Tune(ScriptNetwork& network, DeviceStream& stream, const TorchOptions& options) {
  return stream.Run([&] {
    ScriptForward& forward = network.forward();
    forward.ChooseLayout();
    const at::Tensor one =
        at::empty(forward.BatchShape(1, network.signature().input_channels),
                  at::TensorOptions().dtype(at::kFloat).device(stream.device().name()));
    const int64_t bytes = stream.PeakBytes([&] {
      forward.Run(one);
      stream.Wait();
    });
    if (!network.ReserveBatch(bytes)) return absl::OkStatus();
    for (const int64_t batch : {int64_t{1}, network.max_batch()}) {
      const std::string reason = forward.RecordGraph(batch);
      if (!reason.empty()) {
        options.note(absl::StrCat("passes are launched kernel by kernel, as a batch of ", batch,
                                  " could not be recorded: ", EngineErrorLine(reason)));
      }
    }
    return absl::OkStatus();
  });
}

// Goes over to fp16, which must agree with what fp32 gave for the probe tile.
absl::Status ToHalf(ScriptNetwork& network, std::span<const float> expected, DeviceStream& stream) {
  NNSEG_RETURN_IF_ERROR(stream.Run([&] {
    network.forward().ToHalf();
    return absl::OkStatus();
  }));
  NNSEG_ASSIGN_OR_RETURN(const std::vector<float> logits, RunProbe(network));
  const ProbeAgreement agreement =
      CompareProbes(expected, logits, network.signature().output_channels);
  if (agreement.passes()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("on the probe tile fp16 ", agreement.ToString()));
}

absl::StatusOr<std::unique_ptr<PatchNetwork>> Load(const std::string& file,
                                                   const PatchSignature& signature,
                                                   const std::string& precision,
                                                   const std::shared_ptr<DeviceStream>& stream,
                                                   const std::shared_ptr<DeviceMemory>& memory,
                                                   const TorchOptions& options) {
  NNSEG_ASSIGN_OR_RETURN(std::unique_ptr<ScriptNetwork> network,
                         Read(file, signature, stream, memory));
  NNSEG_ASSIGN_OR_RETURN(const std::vector<float> logits, RunProbe(*network));
  if (precision == "fp16") NNSEG_RETURN_IF_ERROR(ToHalf(*network, logits, *stream));
  network->HoldShare();
  if (stream->device().is_cuda) {
    NNSEG_RETURN_IF_ERROR(Tune(*network, *stream, options));
    network->HoldShare();  // with its recordings
  }
  return network;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PatchNetwork>> LoadScriptNetwork(
    const std::string& file, const PatchSignature& signature, const std::string& precision,
    const std::shared_ptr<DeviceStream>& stream, const std::shared_ptr<DeviceMemory>& memory,
    const TorchOptions& options) {
  absl::StatusOr<std::unique_ptr<PatchNetwork>> network =
      Load(file, signature, precision, stream, memory, options);
  if (network.ok()) return network;
  const absl::Status& status = network.status();
  // Whatever is wrong but these lies in the file.
  const bool of_the_host = absl::IsResourceExhausted(status) || absl::IsFailedPrecondition(status);
  return absl::Status(
      of_the_host ? status.code() : absl::StatusCode::kInvalidArgument,
      absl::StrCat(std::filesystem::path(file).filename().string(), ": ", status.message()));
}

}  // namespace nnseg
