#include "core/preprocess/normalization.h"

#include <algorithm>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

struct Outcome {
  absl::Status status;
  std::vector<float> values;
};

// `values` as one line; the first `inside` voxels lie under the mask.
Outcome Normalize(const ChannelPlan& channel, const std::vector<float>& values,
                  std::size_t inside = 0) {
  auto image = Volume<float>::Uninitialized(1, {{1, 1, static_cast<int64_t>(values.size())}});
  std::copy(values.begin(), values.end(), image.voxels().begin());
  auto mask = Volume<uint8_t>::Filled(1, image.shape(), 0);
  std::fill_n(mask.voxels().begin(), inside, 1);
  absl::Status status = NormalizeChannel(channel, ViewOf(image, 0), ViewOf(std::as_const(mask), 0));
  return {std::move(status), {image.voxels().begin(), image.voxels().end()}};
}

TEST(NormalizeChannel, CtClipsThenCentresThenScales) {
  const ChannelPlan channel{"CT", Normalization::kCt, false, {99.5, 80.25, -50, 250}};
  const Outcome outcome = Normalize(channel, {-1000, 0, 40, 300, 1200});
  NNSEG_EXPECT_OK(outcome.status);
  EXPECT_THAT(outcome.values,
              ElementsAre(-1.8629284F, -1.2398754F, -0.741433F, 1.8753895F, 1.8753895F));
}

TEST(NormalizeChannel, ZScoreUsesTheWholeBox) {
  const ChannelPlan channel{"T1", Normalization::kZScore, false, {}};
  EXPECT_THAT(
      Normalize(channel, {1, 2, 3, 4, 0, 0}, 4).values,
      ElementsAre(-0.44721356F, 0.22360681F, 0.8944272F, 1.5652477F, -1.1180339F, -1.1180339F));
}

TEST(NormalizeChannel, ZScoreUnderTheMaskLeavesTheRest) {
  const ChannelPlan channel{"T1", Normalization::kZScore, true, {}};
  EXPECT_THAT(Normalize(channel, {1, 2, 3, 4, 0, 0}, 4).values,
              ElementsAre(-1.3416407F, -0.4472136F, 0.4472136F, 1.3416407F, 0, 0));
}

TEST(NormalizeChannel, ConstantImagesBecomeZero) {
  const ChannelPlan channel{"T1", Normalization::kZScore, false, {}};
  EXPECT_THAT(Normalize(channel, {5, 5, 5}).values, Each(0));
}

TEST(NormalizeChannel, RescaleMapsTheRangeTo01) {
  const ChannelPlan channel{"PET", Normalization::kRescaleTo01, true, {}};
  EXPECT_THAT(Normalize(channel, {-2, 0, 6}).values, ElementsAre(0, 0.25, 1));
  EXPECT_THAT(Normalize(channel, {3, 3}).values, ElementsAre(0, 0));
}

TEST(NormalizeChannel, RgbDividesBy255) {
  const ChannelPlan channel{"R", Normalization::kRgbTo01, false, {}};
  EXPECT_THAT(Normalize(channel, {0, 51, 255}).values, ElementsAre(0, 0.2F, 1));
}

TEST(NormalizeChannel, RgbRefusesOtherValuesAndNamesThem) {
  const ChannelPlan channel{"R", Normalization::kRgbTo01, false, {}};
  EXPECT_THAT(Normalize(channel, {0, 256}).status,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("channel R"), HasSubstr("0 to 256"))));
  EXPECT_THAT(Normalize(channel, {-1, 2}).status, StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(NormalizeChannel, NoneChangesNothing) {
  EXPECT_THAT(Normalize({}, {-1, 2}).values, ElementsAre(-1, 2));
}

TEST(NormalizesUnderMask, OnlyZScoreDoes) {
  EXPECT_TRUE(NormalizesUnderMask({"", Normalization::kZScore, true, {}}));
  EXPECT_FALSE(NormalizesUnderMask({"", Normalization::kZScore, false, {}}));
  EXPECT_FALSE(NormalizesUnderMask({"", Normalization::kCt, true, {}}));
}

}  // namespace
}  // namespace nnseg
