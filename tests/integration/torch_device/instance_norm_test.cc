#include "core/inference/torch/instance_norm.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/instance_norm.h>
#include <ATen/ops/instance_norm_native.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace nnseg {
namespace {

using Shape = std::vector<int64_t>;

at::Tensor Normal(const Shape& shape, float mean, float deviation) {
  std::mt19937 generator(7);
  std::normal_distribution<float> normal(mean, deviation);
  at::Tensor tensor = at::empty(shape);
  auto* const values = tensor.mutable_data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) values[i] = normal(generator);
  return tensor;
}

void ExpectSameBits(const at::Tensor& ours, const at::Tensor& torchs) {
  ASSERT_EQ(ours.sizes(), torchs.sizes());
  ASSERT_TRUE(ours.is_contiguous());
  const at::Tensor expected = torchs.contiguous();
  EXPECT_EQ(std::memcmp(ours.const_data_ptr(), expected.const_data_ptr(), ours.nbytes()), 0);
}

struct Parameters {
  at::Tensor weight;
  at::Tensor bias;
};

Parameters ParametersFor(int64_t channels) {
  return {Normal({channels}, 1, 0.3F), Normal({channels}, 0, 2)};
}

// torch::instance_norm is what a network calls; at::native::instance_norm is torch's own.
void ExpectTorchsBits(const at::Tensor& input, const Parameters& parameters) {
  const c10::InferenceMode inference;
  ExpectSameBits(at::instance_norm(input, parameters.weight, parameters.bias, {}, {},
                                   /*use_input_stats=*/true, 0.1, 1e-5, false),
                 at::native::instance_norm(input, parameters.weight, parameters.bias, {}, {},
                                           /*use_input_stats=*/true, 0.1, 1e-5, false));
}

class InstanceNormTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { InterleaveInstanceNorm(); }
};

TEST_F(InstanceNormTest, IsWhatNetworksCall) {
  const auto operation = c10::Dispatcher::singleton().findSchemaOrThrow("aten::instance_norm", "");
  EXPECT_TRUE(operation.hasKernelForDispatchKey(c10::DispatchKey::CPU));
  InterleaveInstanceNorm();  // once more changes nothing
}

TEST_F(InstanceNormTest, HasTorchsBits) {
  for (const Shape& shape :
       {Shape{1, 32, 12, 20, 17}, Shape{1, 16, 64, 64, 64}, Shape{1, 1, 5, 6, 7},
        Shape{1, 37, 3, 3, 3}, Shape{1, 320, 4, 4, 4}, Shape{1, 24, 33, 31}, Shape{1, 8, 100},
        Shape{2, 13, 9, 8, 7}, Shape{3, 8, 5, 5}}) {
    SCOPED_TRACE(::testing::PrintToString(shape));
    ExpectTorchsBits(Normal(shape, 0.2F, 1), ParametersFor(shape[1]));
    ExpectTorchsBits(Normal(shape, 1000, 0.01F), ParametersFor(shape[1]));
    ExpectTorchsBits(Normal(shape, 0, 1e-30F), ParametersFor(shape[1]));
  }
}

TEST_F(InstanceNormTest, HasTorchsBitsOnAnyNumberOfThreads) {
  const int threads = at::get_num_threads();
  for (const int count : {1, 2, 3, 5}) {
    at::set_num_threads(count);
    ExpectTorchsBits(Normal({1, 20, 9, 10, 11}, 3, 1), ParametersFor(20));
  }
  at::set_num_threads(threads);
}

TEST_F(InstanceNormTest, HasTorchsBitsWithoutWeightsOrBiases) {
  const at::Tensor input = Normal({2, 9, 6, 7, 8}, 1, 2);
  const Parameters parameters = ParametersFor(9);
  ExpectTorchsBits(input, {});
  ExpectTorchsBits(input, {parameters.weight, {}});
  ExpectTorchsBits(input, {{}, parameters.bias});
}

TEST_F(InstanceNormTest, HasTorchsBitsOfConstantAndInfiniteChannels) {
  at::Tensor input = Normal({1, 10, 6, 6, 6}, 1, 2);
  input.select(1, 2).fill_(4);
  input.select(1, 3).fill_(0);
  input.select(1, 4).fill_(std::numeric_limits<float>::max());
  input.select(1, 5).view({-1})[17] = std::numeric_limits<float>::infinity();
  ExpectTorchsBits(input, ParametersFor(10));
}

// What torch's own code takes: other types and layouts, statistics that were learned.
TEST_F(InstanceNormTest, LeavesOtherInputsToTorch) {
  const at::Tensor input = Normal({1, 12, 6, 7, 8}, 1, 2);
  const Parameters parameters = ParametersFor(12);
  ExpectTorchsBits(input.to(at::kDouble),
                   {parameters.weight.to(at::kDouble), parameters.bias.to(at::kDouble)});
  ExpectTorchsBits(input.transpose(2, 4), parameters);
  const c10::InferenceMode inference;
  const at::Tensor mean = Normal({12}, 1, 1);
  const at::Tensor variance = Normal({12}, 1, 1).abs();
  ExpectSameBits(at::instance_norm(input, parameters.weight, parameters.bias, mean, variance,
                                   /*use_input_stats=*/false, 0.1, 1e-5, false),
                 at::native::instance_norm(input, parameters.weight, parameters.bias, mean,
                                           variance, /*use_input_stats=*/false, 0.1, 1e-5, false));
}

}  // namespace
}  // namespace nnseg
