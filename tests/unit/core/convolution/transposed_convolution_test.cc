#include "core/convolution/transposed_convolution.h"

#include <string>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/core/convolution/reference.h"

namespace nnseg {
namespace {

struct Setting {
  std::string name;
  TransposedConvolutionShape shape;
};

class TransposedConvolutionOf
    : public testing::TestWithParam<std::tuple<Setting, ProductPrecision>> {};

INSTANTIATE_TEST_SUITE_P(
    Shapes, TransposedConvolutionOf,
    testing::Combine(testing::Values(Setting{"Doubles", {9, 5, {{3, 4, 19}}, {{2, 2, 2}}}},
                                     Setting{"DoublesTheSlice", {4, 3, {{2, 5, 11}}, {{1, 2, 2}}}},
                                     Setting{"DoublesRows", {4, 3, {{2, 5, 33}}, {{2, 2, 1}}}},
                                     Setting{"Keeps", {3, 10, {{2, 3, 4}}, {{1, 1, 1}}}}),
                     kProductPrecisions),
    [](const auto& info) {
      return std::get<0>(info.param).name + NameOf(std::get<1>(info.param));
    });

TEST_P(TransposedConvolutionOf, IsTheConvolutionAsItIsWritten) {
  const auto& [setting, precision] = GetParam();
  NNSEG_SKIP_WITHOUT_PRODUCTS(precision);
  const TransposedConvolutionShape& shape = setting.shape;
  const auto [input, weights] =
      MakeFactors(precision, shape.input_channels * shape.input.voxels(),
                  shape.input_channels * shape.output_channels * shape.kernel.voxels());
  const std::vector<float> bias = Noise(shape.output_channels, 3);
  std::vector<float> output(shape.output_channels * shape.output().voxels());
  TransposedConvolution(shape, weights, bias, precision)
      .Run(ChannelsOf(input, shape.input_channels), output.data());
  ExpectNear(output, ReferenceTransposed(shape, input, weights, bias), 1e-5);
}

TEST(TransposedConvolution, SuitsKernelsOfOneAndTwo) {
  EXPECT_TRUE(TransposedConvolution::Suits({32, 16, {{16, 16, 16}}, {{1, 2, 2}}}));
  EXPECT_FALSE(TransposedConvolution::Suits({32, 16, {{16, 16, 16}}, {{3, 2, 2}}}));
  EXPECT_FALSE(TransposedConvolution::Suits({32, 16, {{4, 4, 4}}, {{2, 2, 2}}}));
}

}  // namespace
}  // namespace nnseg
