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

std::vector<const float*> ChannelsOf(std::span<const float> data, int64_t channels) {
  std::vector<const float*> pointers;
  const int64_t size = std::ssize(data) / channels;
  for (int64_t c = 0; c < channels; ++c) pointers.push_back(data.data() + c * size);
  return pointers;
}

std::vector<double> ReferenceConvolution(const ConvolutionShape& shape,
                                         std::span<const float> input,
                                         std::span<const float> weights,
                                         std::span<const float> bias) {
  const Shape3 output = shape.output();
  const auto& [d, h, w] = static_cast<const std::array<int64_t, 3>&>(shape.input);
  const auto& kernel = shape.kernel;
  std::vector<double> result;
  for (int64_t o = 0; o < shape.output_channels; ++o) {
    for (int64_t z = 0; z < output[0]; ++z) {
      for (int64_t y = 0; y < output[1]; ++y) {
        for (int64_t x = 0; x < output[2]; ++x) {
          double sum = bias[o];
          const float* weight = weights.data() + o * shape.input_channels * kernel.voxels();
          for (int64_t c = 0; c < shape.input_channels; ++c) {
            for (int64_t i = 0; i < kernel[0]; ++i) {
              for (int64_t j = 0; j < kernel[1]; ++j) {
                for (int64_t k = 0; k < kernel[2]; ++k, ++weight) {
                  const int64_t a = z * shape.stride[0] + i - kernel[0] / 2;
                  const int64_t b = y * shape.stride[1] + j - kernel[1] / 2;
                  const int64_t e = x * shape.stride[2] + k - kernel[2] / 2;
                  if (a < 0 || a >= d || b < 0 || b >= h || e < 0 || e >= w) continue;
                  sum += static_cast<double>(*weight) *
                         static_cast<double>(input[((c * d + a) * h + b) * w + e]);
                }
              }
            }
          }
          result.push_back(sum);
        }
      }
    }
  }
  return result;
}

std::vector<double> ReferenceTransposed(const TransposedConvolutionShape& shape,
                                        std::span<const float> input,
                                        std::span<const float> weights,
                                        std::span<const float> bias) {
  const Shape3 output = shape.output();
  const Shape3& kernel = shape.kernel;
  std::vector<double> result;
  for (int64_t o = 0; o < shape.output_channels; ++o) {
    for (int64_t z = 0; z < output[0]; ++z) {
      for (int64_t y = 0; y < output[1]; ++y) {
        for (int64_t x = 0; x < output[2]; ++x) {
          double sum = bias[o];
          const int64_t tap =
              (z % kernel[0] * kernel[1] + y % kernel[1]) * kernel[2] + x % kernel[2];
          const int64_t voxel =
              (z / kernel[0] * shape.input[1] + y / kernel[1]) * shape.input[2] + x / kernel[2];
          for (int64_t c = 0; c < shape.input_channels; ++c) {
            sum += static_cast<double>(
                       weights[(c * shape.output_channels + o) * kernel.voxels() + tap]) *
                   static_cast<double>(input[c * shape.input.voxels() + voxel]);
          }
          result.push_back(sum);
        }
      }
    }
  }
  return result;
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
