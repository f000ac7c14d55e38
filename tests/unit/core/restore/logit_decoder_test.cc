#include "core/restore/logit_decoder.h"

#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/restore_fixture.h"

namespace nnseg {
namespace {

using testing::ElementsAre;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Labels of voxels from their logits, channels offered in the given order.
std::vector<uint16_t> Decode(const LabelTable& table,
                             const std::vector<std::vector<float>>& channels,
                             std::vector<uint16_t> order = {}) {
  if (order.empty()) {
    for (std::size_t c = 0; c < channels.size(); ++c) order.push_back(static_cast<uint16_t>(c));
  }
  LogitDecoder decoder(table);
  decoder.Start(static_cast<int64_t>(channels[0].size()));
  for (const uint16_t c : order) {
    std::vector<Half> logits;
    for (const float logit : channels[c]) logits.emplace_back(logit);
    decoder.Offer(c, 0, logits);
  }
  return {decoder.labels().begin(), decoder.labels().end()};
}

std::vector<uint16_t> Decode(const std::vector<std::vector<float>>& channels,
                             std::vector<uint16_t> order = {}) {
  const LabelTable table = LabelPlan(static_cast<int64_t>(channels.size())).labels;
  return Decode(table, channels, std::move(order));
}

TEST(LogitDecoder, TakesTheLargestAndTheFirstOfEquals) {
  // Voxels (1, 1, 0), (1, 0, 1), (0, 3, 3), (2, 2, 2).
  EXPECT_THAT(Decode({{1, 1, 0, 2}, {1, 0, 3, 2}, {0, 1, 3, 2}}), ElementsAre(0, 0, 1, 0));
}

TEST(LogitDecoder, ChannelsMayComeInAnyOrder) {
  const std::vector<std::vector<float>> channels{{1, 1, 0, 2}, {1, 0, 3, 2}, {0, 1, 3, 2}};
  EXPECT_THAT(Decode(channels, {2, 1, 0}), ElementsAre(0, 0, 1, 0));
  EXPECT_THAT(Decode(channels, {1, 2, 0}), ElementsAre(0, 0, 1, 0));
}

TEST(LogitDecoder, BothZerosAreEqual) {
  EXPECT_THAT(Decode({{-0.0F, 0.0F}, {0.0F, -0.0F}}), ElementsAre(0, 0));
}

TEST(LogitDecoder, TheFirstNanIsTheMaximumAsNumpySays) {
  EXPECT_THAT(Decode({{kInfinity, 1, kNan}, {kNan, 2, kNan}, {kNan, 1, kInfinity}}),
              ElementsAre(1, 1, 0));
  EXPECT_THAT(Decode({{1}, {-kNan}}), ElementsAre(1));
}

TEST(LogitDecoder, InfinitiesAreOrdered) {
  EXPECT_THAT(Decode({{-kInfinity, -kInfinity, 65504}, {-65504, -kInfinity, kInfinity}}),
              ElementsAre(1, 0, 1));
}

TEST(LogitDecoder, LaterRegionsPaintOverEarlierOnes) {
  const std::vector<std::vector<float>> channels{{3, 3, 3, -3}, {-1, 1, 1, 1}, {-1, -1, 2, 2}};
  const LabelTable table = RegionPlan({1, 2, 3}).labels;
  EXPECT_THAT(Decode(table, channels), ElementsAre(1, 2, 3, 3));
  EXPECT_THAT(Decode(table, channels, {2, 0, 1}), ElementsAre(1, 2, 3, 3));
  EXPECT_THAT(Decode(RegionPlan({3, 1, 2}).labels, channels), ElementsAre(3, 1, 2, 2));
}

TEST(LogitDecoder, ARegionIsSetWhereItsSigmoidExceedsOneHalf) {
  const std::vector<std::vector<float>> channels{
      {0, 6e-8F, 1.2e-7F, kInfinity, -kInfinity, kNan, -kNan}};
  EXPECT_THAT(Decode(RegionPlan({7}).labels, channels), ElementsAre(0, 0, 7, 7, 0, 0, 0));
}

TEST(LogitDecoder, TheLowestRankOfRegionsIsTheFirstPaintedChannel) {
  const LabelTable table = RegionPlan({1, 2, 3}).labels;
  LogitDecoder decoder(table);
  decoder.Start(2);
  decoder.Offer(2, 0, std::vector<Half>{Half(1), Half(-1)});
  EXPECT_LT(decoder.LowestRank(), 0);
  decoder.Offer(1, 0, std::vector<Half>{Half(1), Half(1)});
  EXPECT_EQ(decoder.LowestRank(), 1);
}

TEST(RankOf, OrdersAllFiniteValues) {
  Half previous;
  previous.bits = 0xFBFF;  // the lowest
  for (int bits = 0xFBFE; bits >= 0x8000; --bits) {
    Half half;
    half.bits = static_cast<uint16_t>(bits);
    ASSERT_LT(RankOf(previous), RankOf(half));
    previous = half;
  }
  ASSERT_EQ(RankOf(previous), RankOf(Half(0.0F)));
  for (int bits = 0; bits <= 0x7BFF; ++bits) {
    Half half;
    half.bits = static_cast<uint16_t>(bits);
    if (bits > 0) {
      ASSERT_GT(RankOf(half), RankOf(previous));
    }
    previous = half;
  }
}

TEST(LogitDecoder, LowestRankIsThatOfTheWorstBest) {
  const LabelTable table = LabelPlan(2).labels;
  LogitDecoder decoder(table);
  decoder.Start(3);
  decoder.Offer(0, 0, std::vector<Half>{Half(1), Half(-2), Half(5)});
  decoder.Offer(1, 1, std::vector<Half>{Half(0.5F)});
  EXPECT_EQ(decoder.LowestRank(), RankOf(Half(0.5F)));
}

}  // namespace
}  // namespace nnseg
