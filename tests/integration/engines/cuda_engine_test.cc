#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/inference/torch/network_loader.h"
#include "core/inference/volume_predictor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/engines/example_patch.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

// What only a GPU can show. fp16 is not the CPU's fp32: labels may differ where logits nearly tie.
class CudaEngine : public testing::Test {
 protected:
  void SetUp() override {
    if (!TorchCudaAvailable()) GTEST_SKIP() << "no CUDA device";
    SetTorchThreads(kEngineThreads);
    options_.note = [this](const std::string& text) { notes_.push_back(text); };
  }

  // In fp16 on a GPU, in fp32 on the CPU.
  std::unique_ptr<PatchNetwork> Load(const std::string& device,
                                     const std::string& file = ExampleFile("fold_0.pt"),
                                     const PatchSignature& signature = kExampleSignature) {
    auto network = (*MakeTorchLoader(device, options_))
                       ->Load(file, signature, device == "cpu" ? "fp32" : "fp16");
    NNSEG_EXPECT_OK(network);
    return network.ok() ? *std::move(network) : nullptr;
  }

  TorchOptions options_;
  std::vector<std::string> notes_;
};

TEST_F(CudaEngine, PassesAreRecordedInHalfPrecision) {
  const auto network = Load("cuda:0");
  ASSERT_NE(network, nullptr);
  EXPECT_EQ(network->precision(), "fp16");
  EXPECT_THAT(notes_, testing::IsEmpty());
}

TEST_F(CudaEngine, LabelsAreTheCpusButForNearTies) {
  const auto cuda = Load("cuda:0");
  const auto cpu = Load("cpu");
  ASSERT_TRUE(cuda != nullptr && cpu != nullptr);
  EXPECT_GE(
      PercentEqual(Labels(RunOnce(*cuda, ExamplePatch())), Labels(RunOnce(*cpu, ExamplePatch()))),
      99.5);
}

TEST_F(CudaEngine, LabelsOfSlicesAreTheCpusButForNearTies) {
  const std::string file = DataFile("models/photo-2d/1/fold_0.pt");
  const auto cuda = Load("cuda:0", file, kSliceSignature);
  const auto cpu = Load("cpu", file, kSliceSignature);
  ASSERT_TRUE(cuda != nullptr && cpu != nullptr);
  EXPECT_GE(PercentEqual(Labels(RunOnce(*cuda, SlicePatch()), kSliceSignature),
                         Labels(RunOnce(*cpu, SlicePatch()), kSliceSignature)),
            99.5);
}

TEST_F(CudaEngine, ReplayedPassesGiveTheSameBits) {
  const auto network = Load("cuda:0");
  ASSERT_NE(network, nullptr);
  std::vector<float> other = ExamplePatch();
  std::reverse(other.begin(), other.end());
  const std::vector<float> first = RunOnce(*network, ExamplePatch());
  EXPECT_NE(RunOnce(*network, other), first);
  EXPECT_EQ(RunOnce(*network, ExamplePatch()), first);
}

TEST_F(CudaEngine, ABatchGivesTheLabelsOfItsPasses) {
  const auto network = Load("cuda:0");
  ASSERT_NE(network, nullptr);
  if (network->max_batch() == 1) GTEST_SKIP() << "the device has no memory for a batch";
  std::vector<std::vector<float>> inputs;
  std::vector<std::vector<float>> outputs;
  std::vector<PatchPass> passes;
  for (int64_t i = 0; i < network->max_batch(); ++i) {
    inputs.push_back(ExamplePatch());
    std::rotate(inputs.back().begin(), inputs.back().begin() + i * 64 * 64, inputs.back().end());
    outputs.emplace_back(static_cast<std::size_t>(kExampleSignature.output_size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) passes.push_back({inputs[i], outputs[i]});
  NNSEG_ASSERT_OK(network->RunBatch(passes));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_GE(PercentEqual(Labels(outputs[i]), Labels(RunOnce(*network, inputs[i]))), 99.9) << i;
  }
}

TEST_F(CudaEngine, WithoutMemoryToSparePassesRunOneByOne) {
  options_.device_memory_bytes = 1;
  const auto network = Load("cuda:0");
  ASSERT_NE(network, nullptr);
  EXPECT_EQ(network->max_batch(), 1);
}

// The whole sliding window, kept on the GPU, beside the CPU's.
TEST_F(CudaEngine, LogitsOfAVolumeHaveTheCpusLabelsButForNearTies) {
  const Shape3 shape{{96, 80, 70}};
  Volume<float> image = RandomVolume(1, shape, 1);
  const std::vector<float> patch = ExamplePatch();
  for (int64_t z = 0; z < 64; ++z) {
    for (int64_t y = 0; y < 64; ++y) {
      std::copy_n(&patch[(z * 64 + y) * 64], 64, &image.at(0, {{z + 16, y + 8, 3}}));
    }
  }
  const auto labels_on = [&](const std::string& device) {
    const auto network = Load(device);
    TileScheduler scheduler;
    std::vector<float> logits(static_cast<std::size_t>(5 * shape.voxels()));
    PredictionObserver observer;
    observer.on_slab = [&](const LogitSlab& slab) {
      for (int64_t c = 0; c < 5; ++c) {
        ToFloat(slab.logits.channel(c),
                std::span(logits).subspan(c * shape.voxels() + slab.begin[0] * shape[1] * shape[2],
                                          slab.logits.shape().voxels()));
      }
      return absl::OkStatus();
    };
    NNSEG_EXPECT_OK(PredictVolume(image, {network.get()}, {.mirroring_axes = {0, 2}}, scheduler,
                                  CancellationToken(), observer));
    PatchSignature whole = kExampleSignature;
    whole.patch_size = shape;
    return Labels(logits, whole);
  };
  EXPECT_GE(PercentEqual(labels_on("cuda:0"), labels_on("cpu")), 99.5);
}

}  // namespace
}  // namespace nnseg
