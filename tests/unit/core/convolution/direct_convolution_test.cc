#include "core/convolution/direct_convolution.h"

#include <string>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/core/convolution/reference.h"

namespace nnseg {
namespace {

struct Setting {
  std::string name;
  ConvolutionShape shape;
};

class DirectConvolutionOf : public testing::TestWithParam<std::tuple<Setting, ProductPrecision>> {};

INSTANTIATE_TEST_SUITE_P(
    Shapes, DirectConvolutionOf,
    testing::Combine(
        testing::Values(
            Setting{"OneVoxelKernel", {7, 5, {{3, 4, 41}}, {{1, 1, 1}}}},
            Setting{"Stride2", {3, 9, {{6, 8, 70}}, {{3, 3, 3}}, {{2, 2, 2}}}},
            Setting{"Stride2OfOddSizes", {2, 8, {{5, 7, 33}}, {{3, 3, 3}}, {{2, 2, 2}}}},
            Setting{"Stride2InTheSlice", {2, 8, {{3, 6, 18}}, {{1, 3, 3}}, {{1, 2, 2}}}},
            Setting{"Stride3", {2, 3, {{7, 8, 20}}, {{3, 3, 3}}, {{3, 3, 3}}}},
            Setting{"LargeKernel", {2, 4, {{3, 9, 12}}, {{1, 7, 5}}}},
            Setting{"OneVoxel", {2, 8, {{1, 1, 1}}, {{3, 3, 3}}, {{2, 2, 2}}}}),
        kProductPrecisions),
    [](const auto& info) {
      return std::get<0>(info.param).name + NameOf(std::get<1>(info.param));
    });

TEST_P(DirectConvolutionOf, IsTheConvolutionAsItIsWritten) {
  const auto& [setting, precision] = GetParam();
  NNSEG_SKIP_WITHOUT_PRODUCTS(precision);
  const ConvolutionShape& shape = setting.shape;
  const auto [input, weights] =
      MakeFactors(precision, shape.input_channels * shape.input.voxels(), shape.weights());
  const std::vector<float> bias = Noise(shape.output_channels, 3);
  std::vector<float> output(shape.output_channels * shape.output().voxels());
  DirectConvolution(shape, weights, precision)
      .Run(ChannelsOf(input, shape.input_channels), bias, output.data());
  ExpectNear(output, ReferenceConvolution(shape, input, weights, bias), 1e-5);
}

TEST(DirectConvolution, SuitsWeightsThatStayInTheCache) {
  EXPECT_TRUE(DirectConvolution::Suits({16, 32, {{64, 64, 64}}, {{3, 3, 3}}, {{2, 2, 2}}}));
  EXPECT_TRUE(DirectConvolution::Suits({32, 5, {{64, 64, 64}}, {{1, 1, 1}}}));
  EXPECT_FALSE(DirectConvolution::Suits({320, 320, {{32, 32, 32}}, {{3, 3, 3}}, {{2, 2, 2}}}));
}

}  // namespace
}  // namespace nnseg
