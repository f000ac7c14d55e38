#include "core/inference/torch/script_forward.h"

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "core/inference/probe_tile.h"
#include "gtest/gtest.h"
#include "tests/integration/torch_device/tensors.h"
#include "tests/integration/torch_device/toy_network.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tiny_bundle.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

const PatchSignature kSignature = ToySignature({{8, 12, 10}});

// The logits of a convolution in fp32 and in fp16.
struct BothPrecisions {
  std::vector<float> single;
  std::vector<float> half;
};

BothPrecisions RunConvolution(double gain) {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "convolution.pt";
  WriteConvolution(file, gain);
  BothPrecisions logits;
  const auto stream = DeviceUnderTest();
  NNSEG_EXPECT_OK(stream->Run([&] {
    ScriptForward forward(file, kSignature, *stream);
    const at::Tensor batch =
        TensorOf(RandomVolume(1, kSignature.patch_size, 1)).view(forward.BatchShape(1, 1));
    const auto run = [&](at::ScalarType type) {
      const at::Tensor result = forward.Run(batch);
      EXPECT_EQ(result.scalar_type(), type);
      EXPECT_EQ(result.sizes(), at::IntArrayRef(forward.BatchShape(1, 3)));
      std::vector<float> values(static_cast<std::size_t>(kSignature.output_size()));
      stream->Download(result.to(at::kFloat).contiguous(),
                       std::as_writable_bytes(std::span(values)));
      return values;
    };
    EXPECT_FALSE(forward.is_half());
    logits.single = run(at::kFloat);
    forward.ToHalf();
    EXPECT_TRUE(forward.is_half());
    logits.half = run(at::kHalf);
    return absl::OkStatus();
  }));
  return logits;
}

TEST(ScriptForward, HalfPrecisionRoundsWhatConvolutionsReadAndWrite) {
  NNSEG_SKIP_WITHOUT_DEVICE();
  const BothPrecisions logits = RunConvolution(1);
  EXPECT_NE(logits.half, logits.single);
  for (std::size_t i = 0; i < logits.single.size(); ++i) {
    ASSERT_NEAR(logits.half[i], logits.single[i], 0.02) << i;
  }
  EXPECT_TRUE(CompareProbes(logits.single, logits.half, 3).passes());
}

TEST(ScriptForward, LogitsBeyondHalfPrecisionDoNotPassTheProbe) {
  NNSEG_SKIP_WITHOUT_DEVICE();
  const BothPrecisions logits = RunConvolution(60000);
  EXPECT_FALSE(CompareProbes(logits.single, logits.half, 3).passes());
}

}  // namespace
}  // namespace nnseg
