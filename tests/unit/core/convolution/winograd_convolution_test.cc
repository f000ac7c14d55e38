#include "core/convolution/winograd_convolution.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "core/convolution/scratch.h"
#include "gtest/gtest.h"
#include "tests/unit/core/convolution/reference.h"

namespace nnseg {
namespace {

struct Setting {
  std::string name;
  ConvolutionShape shape;
};

class WinogradConvolutionOf : public testing::TestWithParam<std::tuple<Setting, ProductPrecision>> {
};

INSTANTIATE_TEST_SUITE_P(
    Shapes, WinogradConvolutionOf,
    testing::Combine(
        testing::Values(Setting{"WholeTiles", {8, 16, {{4, 6, 32}}, {{3, 3, 3}}}},
                        Setting{"OddEverywhere", {3, 11, {{5, 7, 21}}, {{3, 3, 3}}}},
                        Setting{"NarrowerThanAStrip", {5, 8, {{3, 4, 3}}, {{3, 3, 3}}}},
                        Setting{"OneVoxel", {2, 8, {{1, 1, 1}}, {{3, 3, 3}}}},
                        Setting{"OneChannel", {1, 8, {{4, 4, 34}}, {{3, 3, 3}}}},
                        Setting{"MoreChannelsThanTheCacheHolds",
                                {80, 24, {{4, 4, 16}}, {{3, 3, 3}}}},
                        Setting{"Flat", {6, 10, {{3, 5, 40}}, {{1, 3, 3}}}},
                        Setting{"FlatWithManyChannels", {210, 9, {{2, 4, 16}}, {{1, 3, 3}}}},
                        Setting{"Slice", {4, 8, {{1, 33, 50}}, {{1, 3, 3}}}}),
        kProductPrecisions),
    [](const auto& info) {
      return std::get<0>(info.param).name + NameOf(std::get<1>(info.param));
    });

TEST_P(WinogradConvolutionOf, IsTheConvolutionAsItIsWritten) {
  const auto& [setting, precision] = GetParam();
  NNSEG_SKIP_WITHOUT_PRODUCTS(precision);
  const ConvolutionShape& shape = setting.shape;
  const auto [input, weights] =
      MakeFactors(precision, shape.input_channels * shape.input.voxels(), shape.weights());
  const std::vector<float> bias = Noise(shape.output_channels, 3);
  std::vector<float> output(shape.output_channels * shape.input.voxels());
  const auto moments = WinogradConvolution(shape, weights, precision)
                           .Run(ChannelsOf(input, shape.input_channels), bias, output.data());
  const double largest_sum = static_cast<double>(shape.input_channels * shape.kernel.voxels());
  ExpectNear(output, ReferenceConvolution(shape, input, weights, bias), 1e-6 * largest_sum);
  ASSERT_EQ(std::ssize(moments), shape.output_channels);
  for (int64_t c = 0; c < shape.output_channels; ++c) {
    const int64_t voxels = shape.input.voxels();
    const ChannelMoments expected = ChannelMomentsOf(std::span(output).subspan(c * voxels, voxels));
    const double deviation = std::sqrt(expected.variance());
    EXPECT_NEAR(moments[c].mean(), expected.mean(), 1e-6 * (1 + deviation));
    EXPECT_NEAR(moments[c].variance(), expected.variance(), 1e-6 * (1 + expected.variance()));
  }
}

// Large outputs are written past the caches.
TEST(WinogradConvolution, OfManyChannelsHasTheBitsOfFew) {
  const ConvolutionShape few{1, 8, {{64, 128, 128}}, {{1, 3, 3}}};
  ConvolutionShape many = few;
  many.output_channels = 20;
  const std::vector<float> input = Noise(few.input.voxels(), 1);
  const std::vector<float> weights = Noise(many.weights(), 2);
  const std::vector<float> bias = Noise(many.output_channels, 3);
  const auto run = [&](const ConvolutionShape& shape) {
    // Aligned as an engine's tensors are: only whole lines of the cache go past it.
    VoxelMemory<float> output = AllocateFloats(shape.output_channels * shape.input.voxels());
    WinogradConvolution(shape, std::span(weights).first(shape.weights()), ProductPrecision::kFp32)
        .Run(ChannelsOf(input, 1), std::span(bias).first(shape.output_channels), output.get());
    return output;
  };
  const VoxelMemory<float> expected = run(few);
  const VoxelMemory<float> output = run(many);
  const int64_t size = few.output_channels * few.input.voxels();
  EXPECT_TRUE(std::equal(expected.get(), expected.get() + size, output.get()));
}

TEST(WinogradConvolution, SuitsLargeVolumesAndTheirKernels) {
  const ConvolutionShape good{16, 16, {{64, 64, 64}}, {{3, 3, 3}}};
  EXPECT_TRUE(WinogradConvolution::Suits(good));
  ConvolutionShape shape = good;
  shape.input = {{8, 8, 8}};
  EXPECT_FALSE(WinogradConvolution::Suits(shape)) << "half of each strip is padding";
  shape = good;
  shape.stride = {{2, 2, 2}};
  EXPECT_FALSE(WinogradConvolution::Takes(shape));
  shape = good;
  shape.kernel = {{3, 3, 1}};
  EXPECT_FALSE(WinogradConvolution::Takes(shape));
}

}  // namespace
}  // namespace nnseg
