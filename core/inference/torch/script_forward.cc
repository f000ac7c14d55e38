#include "core/inference/torch/script_forward.h"

#include <ATen/Context.h>
#include <ATen/accelerator/Graph.h>
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <array>
#include <chrono>
#include <map>
#include <utility>

namespace nnseg {
namespace {

// Passes before a measurement, in which cuDNN tries its kernels, and in it.
constexpr int kWarmUpPasses = 3;
constexpr int kTimedPasses = 5;

/// fp16 autocast while in scope, with torch's own list of operations: how nnU-Net runs on CUDA.
class ScopedAutocast {
 public:
  ScopedAutocast(bool enable, at::DeviceType device) : enable_(enable), device_(device) {
    if (!enable_) return;
    enabled_before_ = at::autocast::is_autocast_enabled(device_);
    dtype_before_ = at::autocast::get_autocast_dtype(device_);
    at::autocast::set_autocast_enabled(device_, true);
    at::autocast::set_autocast_dtype(device_, at::kHalf);
    at::autocast::increment_nesting();
  }
  ~ScopedAutocast() {
    if (!enable_) return;
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_dtype(device_, dtype_before_);
    at::autocast::set_autocast_enabled(device_, enabled_before_);
  }
  ScopedAutocast(const ScopedAutocast&) = delete;
  ScopedAutocast& operator=(const ScopedAutocast&) = delete;

 private:
  const bool enable_;
  const at::DeviceType device_;
  bool enabled_before_ = false;
  at::ScalarType dtype_before_ = at::kHalf;
};

at::MemoryFormat LayoutOf(int64_t dimensions, bool channels_last) {
  if (!channels_last) return at::MemoryFormat::Contiguous;
  return dimensions == 5 ? at::MemoryFormat::ChannelsLast3d : at::MemoryFormat::ChannelsLast;
}

}  // namespace

// A recorded pass: `output` is what replaying makes of what lies in `input`.
struct ScriptForward::Graph {
  at::Tensor input;
  at::Tensor output;
  std::unique_ptr<at::accelerator::Graph> recording = std::make_unique<at::accelerator::Graph>();
};

struct ScriptForward::State {
  at::Device device;
  torch::jit::Module module;
  bool channels_last = false;
  std::map<int64_t, Graph> graphs;  // by batch
};

ScriptForward::ScriptForward(const std::string& file, const PatchSignature& signature,
                             DeviceStream& stream)
    : signature_(signature), stream_(stream) {
  const at::Device device(stream.device().name());
  state_ = std::make_unique<State>(State{device, torch::jit::load(file, device)});
  state_->module.eval();
}

ScriptForward::~ScriptForward() = default;

std::vector<int64_t> ScriptForward::BatchShape(int64_t batch, int64_t channels) const {
  std::vector<int64_t> shape{batch, channels};
  const Shape3& patch = signature_.patch_size;
  shape.insert(shape.end(), patch.end() - signature_.patch_dimensions, patch.end());
  return shape;
}

at::Tensor ScriptForward::Run(const at::Tensor& batch) {
  const auto graph = state_->graphs.find(batch.size(0));
  if (graph == state_->graphs.end()) return Launch(batch);
  const c10::InferenceMode inference;
  graph->second.input.copy_(batch);
  graph->second.recording->replay();
  return graph->second.output;
}

at::Tensor ScriptForward::Launch(const at::Tensor& batch) {
  const c10::InferenceMode inference;
  // The graph as it was traced: no profiling runs, no fusion, the same bits from the first pass.
  const torch::jit::GraphOptimizerEnabledGuard no_optimizer(false);
  const ScopedAutocast autocast(half_, state_->device.type());
  return state_->module.forward({batch.contiguous(LayoutOf(batch.dim(), state_->channels_last))})
      .toTensor();
}

int64_t ScriptForward::ResidentBytes() const {
  std::size_t bytes = 0;
  for (const at::Tensor& weight : state_->module.parameters()) bytes += weight.nbytes();
  for (const at::Tensor& buffer : state_->module.buffers()) bytes += buffer.nbytes();
  for (const auto& [batch, graph] : state_->graphs) {
    bytes += graph.input.nbytes() + graph.output.nbytes();
  }
  return static_cast<int64_t>(bytes);
}

void ScriptForward::ReplaceWeights(const std::function<at::Tensor(const at::Tensor&)>& change) {
  const c10::AutoGradMode no_gradients(false);
  for (const torch::jit::Module& part : state_->module.modules()) {
    if (!part.hasattr("weight") || !part.attr("weight").isTensor()) continue;
    // Norms have one weight for each channel; only convolutions have kernels.
    if (part.attr("weight").toTensor().dim() < 4) continue;
    for (const char* name : {"weight", "bias"}) {
      if (!part.hasattr(name) || !part.attr(name).isTensor()) continue;
      at::Tensor tensor = part.attr(name).toTensor();
      tensor.set_data(change(tensor.detach()));
    }
  }
}

void ScriptForward::ToHalf() {
  ReplaceWeights([](const at::Tensor& weight) { return weight.to(at::kHalf); });
  half_ = true;
}

void ScriptForward::SetLayout(bool channels_last) {
  ReplaceWeights([&](const at::Tensor& weight) {
    return weight.dim() < 4 ? weight : weight.contiguous(LayoutOf(weight.dim(), channels_last));
  });
  state_->channels_last = channels_last;
}

void ScriptForward::ChooseLayout() {
  const at::Tensor batch =
      at::zeros(BatchShape(1, signature_.input_channels), at::TensorOptions(state_->device));
  std::array<double, 2> seconds{};
  for (const bool channels_last : {false, true}) {
    SetLayout(channels_last);
    for (int i = 0; i < kWarmUpPasses; ++i) Launch(batch);
    stream_.Wait();
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kTimedPasses; ++i) Launch(batch);
    stream_.Wait();
    seconds[channels_last] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  SetLayout(seconds[1] < seconds[0]);
}

std::string ScriptForward::RecordGraph(int64_t batch) {
  Graph graph;
  const std::vector<int64_t> shape = BatchShape(batch, signature_.input_channels);
  graph.input =
      at::zeros(shape, at::TensorOptions(state_->device))
          .contiguous(LayoutOf(static_cast<int64_t>(shape.size()), state_->channels_last));
  for (int i = 0; i < kWarmUpPasses; ++i) Launch(graph.input);
  stream_.Wait();
  bool recording = false;
  try {
    graph.recording->capture_begin(stream_.graph_pool(), at::GraphCaptureMode::ThreadLocal);
    recording = true;
    graph.output = Launch(graph.input);
    recording = false;
    graph.recording->capture_end();
  } catch (const std::exception& error) {
    // What was begun must be ended, or nothing runs on the stream any more.
    try {
      if (recording) graph.recording->capture_end();
    } catch (const std::exception&) {
    }
    return error.what();
  }
  stream_.graph_pool() = graph.recording->pool();
  state_->graphs.emplace(batch, std::move(graph));
  return "";
}

}  // namespace nnseg
