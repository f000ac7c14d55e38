#include "core/inference/probe_tile.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nnseg {
namespace {

constexpr int64_t kVoxels = 1000;

// Two channels, the second of which wins the first `won` voxels.
std::vector<float> Logits(int64_t won) {
  std::vector<float> logits(2 * kVoxels, 0.0F);
  std::fill_n(logits.begin() + kVoxels, kVoxels, -1.0F);
  std::fill_n(logits.begin() + kVoxels, won, 1.0F);
  return logits;
}

TEST(ProbeTile, HasTheNetworksShapeAndLooksLikeAnImage) {
  const PatchSignature volume{
      .input_channels = 2, .output_channels = 3, .patch_size = {{8, 16, 12}}};
  const std::vector<float> tile = ProbeTile(volume);
  ASSERT_EQ(static_cast<int64_t>(tile.size()), volume.input_size());
  EXPECT_EQ(tile, ProbeTile(volume));
  const auto [low, high] = std::minmax_element(tile.begin(), tile.end());
  EXPECT_LT(*low, -0.5F);
  EXPECT_GT(*high, 0.5F);
  const PatchSignature slice{.input_channels = 1,
                             .output_channels = 2,
                             .patch_size = {{1, 16, 12}},
                             .patch_dimensions = 2};
  EXPECT_EQ(static_cast<int64_t>(ProbeTile(slice).size()), slice.input_size());
}

TEST(CompareProbes, PassesFromNinetyNineAndAHalfPercentOn) {
  const ProbeAgreement enough = CompareProbes(Logits(500), Logits(505), 2);
  EXPECT_DOUBLE_EQ(enough.equal_percent, 99.5);
  EXPECT_TRUE(enough.passes());
  const ProbeAgreement too_few = CompareProbes(Logits(500), Logits(506), 2);
  EXPECT_DOUBLE_EQ(too_few.equal_percent, 99.4);
  EXPECT_FALSE(too_few.passes());
  EXPECT_EQ(too_few.ToString(), "agrees in 99.4000 % of the voxels, expected 99.5 %");
}

TEST(CompareProbes, OneLogitThatIsNotFiniteFails) {
  for (const float spoiled :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> logits = Logits(500);
    logits[3] = spoiled;
    const ProbeAgreement agreement = CompareProbes(Logits(500), logits, 2);
    EXPECT_FALSE(agreement.passes());
    EXPECT_EQ(agreement.ToString(), "gives logits that are not finite");
  }
}

TEST(CompareProbes, AnOnlyChannelIsComparedBySign) {
  const std::vector<float> expected{-1, 1, 1, -1};
  const std::vector<float> logits{-2, 3, -1, -1};
  EXPECT_DOUBLE_EQ(CompareProbes(expected, logits, 1).equal_percent, 75.0);
}

}  // namespace
}  // namespace nnseg
