#include "tests/unit/core/convolution/reference.h"

#include <cmath>
#include <random>

#include "gtest/gtest.h"

namespace nnseg {

std::vector<float> Noise(int64_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = uniform(generator);
  return values;
}

std::string NameOf(ProductPrecision precision) {
  return precision == ProductPrecision::kBf16 ? "Bf16" : "Fp32";
}

Factors MakeFactors(ProductPrecision precision, int64_t inputs, int64_t weights) {
  Factors factors{Noise(inputs, 1), Noise(weights, 2)};
  if (precision == ProductPrecision::kFp32) return factors;
  for (float& value : factors.input) value = std::round(2 * value);
  // The transform of a kernel divides by eight.
  for (float& value : factors.weights) value = 8 * std::round(value);
  return factors;
}

std::vector<const float*> ChannelsOf(std::span<const float> data, int64_t channels) {
  std::vector<const float*> pointers;
  const int64_t size = std::ssize(data) / channels;
  for (int64_t c = 0; c < channels; ++c) pointers.push_back(data.data() + c * size);
  return pointers;
}

namespace {

// value(output channel, voxel) for each channel and voxel, in memory order.
template <typename Value>
std::vector<double> ForEachOutput(int64_t channels, const Shape3& shape, const Value& value) {
  std::vector<double> result;
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t i = 0; i < shape.voxels(); ++i) {
      const int64_t row = i / shape[2];
      result.push_back(value(c, Index3{{row / shape[1], row % shape[1], i % shape[2]}}));
    }
  }
  return result;
}

}  // namespace

std::vector<double> ReferenceConvolution(const ConvolutionShape& shape,
                                         std::span<const float> input,
                                         std::span<const float> weights,
                                         std::span<const float> bias) {
  const Shape3& in = shape.input;
  const Shape3& kernel = shape.kernel;
  return ForEachOutput(shape.output_channels, shape.output(), [&](int64_t o, const Index3& at) {
    double sum = bias[o];
    const float* weight = weights.data() + o * shape.input_channels * kernel.voxels();
    for (int64_t c = 0; c < shape.input_channels; ++c) {
      for (int64_t i = 0; i < kernel[0]; ++i) {
        for (int64_t j = 0; j < kernel[1]; ++j) {
          for (int64_t k = 0; k < kernel[2]; ++k, ++weight) {
            const int64_t z = at[0] * shape.stride[0] + i - kernel[0] / 2;
            const int64_t y = at[1] * shape.stride[1] + j - kernel[1] / 2;
            const int64_t x = at[2] * shape.stride[2] + k - kernel[2] / 2;
            if (z < 0 || z >= in[0] || y < 0 || y >= in[1] || x < 0 || x >= in[2]) continue;
            sum += static_cast<double>(*weight) *
                   static_cast<double>(input[((c * in[0] + z) * in[1] + y) * in[2] + x]);
          }
        }
      }
    }
    return sum;
  });
}

std::vector<double> ReferenceTransposed(const TransposedConvolutionShape& shape,
                                        std::span<const float> input,
                                        std::span<const float> weights,
                                        std::span<const float> bias) {
  const Shape3& in = shape.input;
  const Shape3& kernel = shape.kernel;
  return ForEachOutput(shape.output_channels, shape.output(), [&](int64_t o, const Index3& at) {
    double sum = bias[o];
    const int64_t tap =
        (at[0] % kernel[0] * kernel[1] + at[1] % kernel[1]) * kernel[2] + at[2] % kernel[2];
    const int64_t voxel =
        (at[0] / kernel[0] * in[1] + at[1] / kernel[1]) * in[2] + at[2] / kernel[2];
    for (int64_t c = 0; c < shape.input_channels; ++c) {
      const int64_t matrix = c * shape.output_channels + o;
      sum += static_cast<double>(weights[matrix * kernel.voxels() + tap]) *
             static_cast<double>(input[c * in.voxels() + voxel]);
    }
    return sum;
  });
}

void ExpectNear(std::span<const float> values, std::span<const double> expected, double tolerance) {
  ASSERT_EQ(values.size(), expected.size());
  double worst = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double difference = std::abs(static_cast<double>(values[i]) - expected[i]);
    if (difference > worst || std::isnan(difference)) {
      worst = difference;
      at = i;
    }
  }
  EXPECT_LE(worst, tolerance) << "value " << at << " is " << values[at] << ", expected "
                              << expected[at];
}

}  // namespace nnseg
