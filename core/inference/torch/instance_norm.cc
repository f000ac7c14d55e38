#include "core/inference/torch/instance_norm.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/instance_norm_native.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/ones_like.h>
#include <torch/library.h>

#include <array>
#include <cmath>
#include <optional>
#include <tuple>
#include <vector>

#include "core/inference/torch/torch_threads.h"

namespace nnseg {
namespace {

// Channels whose sums one thread takes beside each other. Two additions begin in a cycle and each
// takes four, so eight of them fill the time.
constexpr int64_t kInterleaved = 8;

// What the sums of one channel give: torch's save_mean and save_invstd.
struct Statistics {
  float mean = 0;
  float inverse_deviation = 0;
};

// Statistics of Width channels of `size` values, one channel after the other in memory. Rounded
// where torch rounds: values are added as doubles, mean and the sum of squares are kept as floats,
// squares are taken of floats (batch_norm_cpu_collect_stats_contiguous_impl).
template <int64_t Width>
void CollectStatistics(const float* values, int64_t size, double epsilon, Statistics* statistics) {
  std::array<double, Width> sums{};
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t c = 0; c < Width; ++c) sums[c] += values[c * size + i];
  }
  std::array<float, Width> means{};
  for (int64_t c = 0; c < Width; ++c) means[c] = static_cast<float>(sums[c] / size);
  std::array<double, Width> squares{};
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t c = 0; c < Width; ++c) {
      const float distance = values[c * size + i] - means[c];
      squares[c] += distance * distance;
    }
  }
  for (int64_t c = 0; c < Width; ++c) {
    const auto variance = static_cast<float>(squares[c]) / static_cast<float>(size);
    statistics[c] = {means[c], static_cast<float>(1.0 / std::sqrt(variance + epsilon))};
  }
}

// Whether one tensor is as torch's fast path for contiguous floats wants it.
bool IsPlain(const at::Tensor& tensor) {
  return tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_contiguous();
}

at::Tensor Normalize(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                     double epsilon) {
  // A batch's instances are so many channels of one, as in torch.
  const int64_t batch = input.size(0);
  const int64_t channels = batch * input.size(1);
  const int64_t size = input.numel() / channels;
  at::Tensor mean = at::empty({channels}, input.options());
  at::Tensor scale = at::empty({channels}, input.options());
  const float* const values = input.const_data_ptr<float>();
  const float* const weights = weight.defined() ? weight.const_data_ptr<float>() : nullptr;
  float* const means = mean.mutable_data_ptr<float>();
  float* const scales = scale.mutable_data_ptr<float>();

  const auto collect = [&]<int64_t Width>(int64_t first) {
    std::array<Statistics, Width> statistics;
    CollectStatistics<Width>(values + first * size, size, epsilon, statistics.data());
    for (int64_t c = 0; c < Width; ++c) {
      const float channel_weight = weights == nullptr ? 1.0F : weights[(first + c) % input.size(1)];
      means[first + c] = statistics[c].mean;
      scales[first + c] = statistics[c].inverse_deviation * channel_weight;
    }
  };
  // Whole groups, unless that left threads without one; the rest of the channels one by one.
  const bool enough = channels / kInterleaved >= at::get_num_threads();
  const int64_t groups = enough ? channels / kInterleaved : 0;
  const int64_t grouped = groups * kInterleaved;
  OnTorchThreads(groups + channels - grouped, [&](int64_t i) {
    if (i < groups) {
      collect.operator()<kInterleaved>(i * kInterleaved);
    } else {
      collect.operator()<1>(grouped + i - groups);
    }
  });

  // The rest is torch's batch norm of given statistics, here of variance 1: the deviation is in the
  // scale already, rounded as torch rounds their product.
  std::vector<int64_t> shape = input.sizes().vec();
  shape[0] = 1;
  shape[1] = channels;
  const at::Tensor biases = bias.defined() && batch > 1 ? bias.repeat(batch) : bias;
  return std::get<0>(at::native_batch_norm(input.view(shape), scale, biases, mean,
                                           at::ones_like(mean), /*training=*/false,
                                           /*momentum=*/0, /*eps=*/0))
      .view(input.sizes());
}

at::Tensor InstanceNorm(const at::Tensor& input, const std::optional<at::Tensor>& weight,
                        const std::optional<at::Tensor>& bias,
                        const std::optional<at::Tensor>& running_mean,
                        const std::optional<at::Tensor>& running_var, bool use_input_stats,
                        double momentum, double epsilon, bool cudnn_enabled) {
  const at::Tensor weights = weight.value_or(at::Tensor());
  const at::Tensor biases = bias.value_or(at::Tensor());
  const bool has_running = (running_mean.has_value() && running_mean->defined()) ||
                           (running_var.has_value() && running_var->defined());
  if (!use_input_stats || has_running || input.dim() < 3 || input.numel() == 0 || !IsPlain(input) ||
      (weights.defined() && !IsPlain(weights)) || (biases.defined() && !IsPlain(biases))) {
    return at::native::instance_norm(input, weight, bias, running_mean, running_var,
                                     use_input_stats, momentum, epsilon, cudnn_enabled);
  }
  return Normalize(input, weights, biases, epsilon);
}

}  // namespace

void InterleaveInstanceNorm() {
  // In torch instance_norm is made of other operations; on the CPU it is one by itself from now on.
  [[maybe_unused]] static const bool done = [] {
    auto* const library =  // for good: its end would take the operation out again
        new torch::Library(torch::Library::IMPL, "aten", c10::DispatchKey::CPU, __FILE__, __LINE__);
    library->impl("instance_norm", &InstanceNorm);
    return true;
  }();
}

}  // namespace nnseg
