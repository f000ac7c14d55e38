#include "core/convolution/channel_moments.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/core/convolution/reference.h"

namespace nnseg {
namespace {

TEST(ChannelMoments, OfNothingAreZero) {
  ChannelMoments moments;
  moments.Add({});
  EXPECT_EQ(moments.mean(), 0);
  EXPECT_EQ(moments.variance(), 0);
}

TEST(ChannelMoments, OfManyValuesAreMeanAndPopulationVariance) {
  const std::vector<float> values = Noise(10'001, 3);
  double mean = 0;
  for (const float value : values) mean += static_cast<double>(value) / 10'001;
  double variance = 0;
  for (const float value : values) {
    variance += std::pow(static_cast<double>(value) - mean, 2) / 10'001;
  }
  const ChannelMoments moments = ChannelMomentsOf(values);
  EXPECT_NEAR(moments.mean(), mean, 1e-12);
  EXPECT_NEAR(moments.variance(), variance, 1e-12);
}

TEST(ChannelMoments, SmallDeviationsFromALargeMeanAreNotLost) {
  std::vector<float> values(100'000, 4096);
  EXPECT_EQ(ChannelMomentsOf(values).variance(), 0);
  for (std::size_t i = 0; i < values.size(); i += 2) values[i] = 4096.0009765625F;  // one ulp
  EXPECT_NEAR(ChannelMomentsOf(values).variance(), std::pow(0.0009765625 / 2, 2), 1e-15);
}

}  // namespace
}  // namespace nnseg
