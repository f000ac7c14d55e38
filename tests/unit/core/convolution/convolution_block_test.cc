#include "core/convolution/convolution_block.h"

#include <cmath>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/core/convolution/reference.h"

namespace nnseg {
namespace {

const ConvolutionShape kWinograd{4, 8, {{6, 8, 32}}, {{3, 3, 3}}};
const ConvolutionShape kDirect{4, 6, {{32, 32, 36}}, {{3, 3, 3}}, {{2, 2, 2}}};

struct Setting {
  std::string name;
  ConvolutionShape shape;
  bool norm = true;
  float slope = 1;
};

class ConvolutionBlockOf : public testing::TestWithParam<Setting> {};

INSTANTIATE_TEST_SUITE_P(Blocks, ConvolutionBlockOf,
                         testing::Values(Setting{"Winograd", kWinograd, true, 0.01F},
                                         Setting{"WithoutActivation", kWinograd, true, 1},
                                         Setting{"WithoutNorm", kWinograd, false, 0.01F},
                                         Setting{"ConvolutionAlone", kWinograd, false, 1},
                                         Setting{"Direct", kDirect, true, 0.01F},
                                         Setting{"DirectAlone", kDirect, false, 1}),
                         [](const auto& info) { return info.param.name; });

ConvolutionBlockSpec SpecOf(const Setting& setting) {
  ConvolutionBlockSpec spec{setting.shape, Noise(setting.shape.output_channels, 3)};
  spec.negative_slope = setting.slope;
  if (setting.norm) {
    spec.norm = {.scale = Noise(setting.shape.output_channels, 4),
                 .offset = Noise(setting.shape.output_channels, 5),
                 .epsilon = 1e-5};
  }
  return spec;
}

// A block's end, from what its convolution gives.
void NormalizeReference(const ConvolutionBlockSpec& spec, std::vector<double>& values) {
  const int64_t voxels = spec.shape.output().voxels();
  for (int64_t c = 0; c < spec.shape.output_channels; ++c) {
    const auto channel = std::span(values).subspan(c * voxels, voxels);
    if (spec.norm.has_value()) {
      double mean = 0;
      for (const double value : channel) mean += value / static_cast<double>(voxels);
      double variance = 0;
      for (const double value : channel) {
        variance += (value - mean) * (value - mean) / static_cast<double>(voxels);
      }
      for (double& value : channel) {
        value = (value - mean) / std::sqrt(variance + spec.norm->epsilon) *
                    static_cast<double>(spec.norm->scale[c]) +
                static_cast<double>(spec.norm->offset[c]);
      }
    }
    for (double& value : channel) {
      if (value < 0) value *= static_cast<double>(spec.negative_slope);
    }
  }
}

TEST_P(ConvolutionBlockOf, IsItsPartsOneAfterTheOther) {
  const ConvolutionBlockSpec spec = SpecOf(GetParam());
  const ConvolutionShape& shape = spec.shape;
  const std::vector<float> input = Noise(shape.input_channels * shape.input.voxels(), 1);
  const std::vector<float> weights = Noise(shape.weights(), 2);
  std::vector<double> expected = ReferenceConvolution(shape, input, weights, spec.bias);
  NormalizeReference(spec, expected);

  const ConvolutionBlock block(spec, weights);
  const auto channels = ChannelsOf(input, shape.input_channels);
  std::vector<float> output(expected.size());
  block.Run(channels, output.data());
  ExpectNear(output, expected, 2e-5);

  std::vector<float> again(expected.size());
  block.Run(channels, again.data());
  EXPECT_EQ(again, output);
}

TEST(ConvolutionBlock, RoundsFactorsWhereProductsAreBf16) {
  NNSEG_SKIP_WITHOUT_PRODUCTS(ProductPrecision::kBf16);
  for (const ConvolutionShape& shape : {kWinograd, kDirect}) {
    ConvolutionBlockSpec spec = SpecOf({"", shape, true, 0.01F});
    const std::vector<float> input = Noise(shape.input_channels * shape.input.voxels(), 1);
    const std::vector<float> weights = Noise(shape.weights(), 2);
    const auto run = [&] {
      std::vector<float> output(shape.output_channels * shape.output().voxels());
      ConvolutionBlock(spec, weights).Run(ChannelsOf(input, shape.input_channels), output.data());
      return output;
    };
    const std::vector<float> exact = run();
    spec.products = ProductPrecision::kBf16;
    const std::vector<float> rounded = run();
    EXPECT_NE(rounded, exact);
    ExpectNear(rounded, std::vector<double>(exact.begin(), exact.end()), 0.05);
  }
}

// Air: a constant, whose deviations come from the zeros around it alone, or from nothing at all.
TEST(ConvolutionBlock, AChannelThatHardlyVariesKeepsItsAccuracy) {
  ConvolutionBlockSpec spec = SpecOf({"", kWinograd, true, 0.01F});
  const std::vector<float> input(spec.shape.input_channels * spec.shape.input.voxels(), 40);
  std::vector<float> weights(spec.shape.weights(), 0);
  const int64_t size = spec.shape.kernel.voxels();
  for (int64_t i = 0; i < std::ssize(weights) / size; ++i) weights[i * size + size / 2] = 1;
  std::vector<double> expected = ReferenceConvolution(spec.shape, input, weights, spec.bias);
  NormalizeReference(spec, expected);
  std::vector<float> output(expected.size());
  ConvolutionBlock(spec, weights).Run(ChannelsOf(input, spec.shape.input_channels), output.data());
  ExpectNear(output, expected, 1e-2);  // sqrt(epsilon) makes 300 of one
}

}  // namespace
}  // namespace nnseg
