#include "core/restore/probabilities.h"

#include <cmath>
#include <limits>
#include <vector>

#include "core/restore/logit_decoder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/restore_fixture.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

float SigmoidOf(float logit) {
  auto values = Volume<float>::Filled(1, {{1, 1, 1}}, logit);
  ToProbabilities(RegionPlan({1}).labels, values);
  return values.voxels()[0];
}

// The smallest logits whose sigmoid exceeds one half in torch.
TEST(ToProbabilities, SigmoidLeavesOneHalfWhereTorchsDoes) {
  constexpr float kFirst = 8.9406974e-08F;
  EXPECT_GT(SigmoidOf(kFirst), 0.5F);
  EXPECT_EQ(SigmoidOf(std::nextafter(kFirst, 0.0F)), 0.5F);
  EXPECT_EQ(SigmoidOf(0), 0.5F);
  EXPECT_EQ(SigmoidOf(std::numeric_limits<float>::infinity()), 1.0F);
  EXPECT_EQ(SigmoidOf(-std::numeric_limits<float>::infinity()), 0.0F);
}

TEST(ToProbabilities, SigmoidAndRanksAgreeOnEveryHalf) {
  const LabelTable table = RegionPlan({1}).labels;
  auto values = Volume<float>::Uninitialized(1, {{1, 256, 256}});
  std::vector<Half> halves(65536);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i].bits = static_cast<uint16_t>(i);
  ToFloat(halves, values.voxels());
  ToProbabilities(table, values);
  LogitDecoder decoder(table);
  decoder.Start(65536);
  decoder.Offer(0, 0, halves);
  for (std::size_t i = 0; i < halves.size(); ++i) {
    ASSERT_EQ(values.voxels()[i] > 0.5F, decoder.labels()[i] == 1) << i;
  }
}

TEST(ToProbabilities, SoftmaxOfEqualLogitsIsUniform) {
  auto values = Volume<float>::Filled(4, {{3, 5, 50}}, 1000.0F);
  ToProbabilities(LabelPlan(4).labels, values);
  EXPECT_THAT(values.voxels(), testing::Each(0.25F));
}

TEST(ToProbabilities, SoftmaxSumsToOne) {
  Volume<float> values = RandomVolume(6, {{3, 7, 31}}, 1);
  ToProbabilities(LabelPlan(6).labels, values);
  for (int64_t i = 0; i < values.shape().voxels(); ++i) {
    float sum = 0;
    for (int64_t c = 0; c < 6; ++c) sum += values.channel(c)[i];
    ASSERT_NEAR(sum, 1, 3e-7);
  }
}

TEST(ToProbabilities, ALogitThatIsNoNumberSpoilsItsVoxelOnly) {
  auto values = Volume<float>::Filled(2, {{1, 1, 3}}, 0.0F);
  values.channel(1)[0] = std::numeric_limits<float>::quiet_NaN();
  values.channel(0)[1] = std::numeric_limits<float>::infinity();
  ToProbabilities(LabelPlan(2).labels, values);
  for (int64_t c = 0; c < 2; ++c) {
    EXPECT_TRUE(std::isnan(values.channel(c)[0]));
    EXPECT_TRUE(std::isnan(values.channel(0)[1]));
    EXPECT_EQ(values.channel(c)[2], 0.5F);
  }
}

}  // namespace
}  // namespace nnseg
