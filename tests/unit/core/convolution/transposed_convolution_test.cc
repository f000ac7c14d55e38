#include "core/convolution/transposed_convolution.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/core/convolution/reference.h"

namespace nnseg {
namespace {

struct Setting {
  std::string name;
  TransposedConvolutionShape shape;
};

class TransposedConvolutionOf : public testing::TestWithParam<Setting> {};

INSTANTIATE_TEST_SUITE_P(Shapes, TransposedConvolutionOf,
                         testing::Values(Setting{"Doubles", {9, 5, {{3, 4, 19}}, {{2, 2, 2}}}},
                                         Setting{"DoublesTheSlice",
                                                 {4, 3, {{2, 5, 11}}, {{1, 2, 2}}}},
                                         Setting{"DoublesRows", {4, 3, {{2, 5, 33}}, {{2, 2, 1}}}},
                                         Setting{"Keeps", {3, 10, {{2, 3, 4}}, {{1, 1, 1}}}}),
                         [](const auto& info) { return info.param.name; });

TEST_P(TransposedConvolutionOf, IsTheConvolutionAsItIsWritten) {
  const TransposedConvolutionShape& shape = GetParam().shape;
  const std::vector<float> input = Noise(shape.input_channels * shape.input.voxels(), 1);
  const std::vector<float> weights =
      Noise(shape.input_channels * shape.output_channels * shape.kernel.voxels(), 2);
  const std::vector<float> bias = Noise(shape.output_channels, 3);
  std::vector<float> output(shape.output_channels * shape.output().voxels());
  TransposedConvolution(shape, weights, bias)
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
