#include "client/probability_assembler.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/wire/geometry_codec.h"
#include "proto/wire/probability_codec.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

const Geometry kGeometry{{5, 4, 3}, {1, 1, 2}};
constexpr int kChannels = 2;

class ProbabilityAssemblerTest : public testing::Test {
 protected:
  ProbabilityAssemblerTest() {
    *header_.mutable_geometry() = ToProto(kGeometry);
    *header_.mutable_labelled_box() = ToProto(box_);
    header_.set_probability_type(pb::PROBABILITY_TYPE_FLOAT32);
    header_.set_probability_channels(kChannels);
  }

  /// Sends a box whose values are 0.25 in channel 0 and 0.75 in channel 1.
  static absl::Status AddBox(ProbabilityAssembler& assembler, const Box3& box) {
    ProbabilityBlock block{box, Volume<float>::Filled(kChannels, box.shape(), 0.25F)};
    for (float& value : block.values.channel(1)) value = 0.75F;
    return EncodeProbabilities(
        block, pb::PROBABILITY_TYPE_FLOAT32, pb::LABEL_ENCODING_ZLIB,
        [&](const pb::ProbabilityChunk& chunk) { return assembler.Add(chunk); });
  }

  const Box3 box_{{{1, 1, 0}}, {{3, 4, 3}}};
  pb::ResultHeader header_;
  ProbabilityAssembler assembler_{kGeometry, /*has_regions=*/false};
};

TEST_F(ProbabilityAssemblerTest, ChunksMakeTheMapAndBackgroundHasOneElsewhere) {
  NNSEG_ASSERT_OK(assembler_.Start(header_));
  NNSEG_ASSERT_OK(AddBox(assembler_, {{{2, 1, 0}}, {{3, 4, 3}}}));
  NNSEG_ASSERT_OK(AddBox(assembler_, {{{1, 1, 0}}, {{2, 4, 3}}}));
  const auto map = std::move(assembler_).Finish();
  NNSEG_ASSERT_OK(map);
  EXPECT_EQ(map->geometry, kGeometry);
  EXPECT_EQ(map->values.channels(), kChannels);
  const Volume<float> values = map->values.ToFloat();
  EXPECT_EQ(values.at(0, {{1, 1, 0}}), 0.25F);
  EXPECT_EQ(values.at(1, {{2, 3, 2}}), 0.75F);
  EXPECT_EQ(values.at(0, {{0, 0, 0}}), 1.0F);
  EXPECT_EQ(values.at(1, {{0, 0, 0}}), 0.0F);
}

TEST_F(ProbabilityAssemblerTest, RegionsAreZeroOutsideOfTheBox) {
  ProbabilityAssembler assembler(kGeometry, /*has_regions=*/true);
  NNSEG_ASSERT_OK(assembler.Start(header_));
  NNSEG_ASSERT_OK(AddBox(assembler, box_));
  const auto map = std::move(assembler).Finish();
  NNSEG_ASSERT_OK(map);
  EXPECT_EQ(map->values.ToFloat().at(0, {{0, 0, 0}}), 0.0F);
}

TEST_F(ProbabilityAssemblerTest, AGapIsDataLoss) {
  NNSEG_ASSERT_OK(assembler_.Start(header_));
  NNSEG_ASSERT_OK(AddBox(assembler_, {{{1, 1, 0}}, {{2, 4, 3}}}));
  EXPECT_THAT(std::move(assembler_).Finish(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("18 probabilities are missing")));
}

TEST_F(ProbabilityAssemblerTest, AnOverlapIsDataLoss) {
  NNSEG_ASSERT_OK(assembler_.Start(header_));
  NNSEG_ASSERT_OK(AddBox(assembler_, box_));
  EXPECT_THAT(AddBox(assembler_, {{{1, 1, 0}}, {{2, 2, 1}}}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("overlap")));
}

TEST_F(ProbabilityAssemblerTest, ChunksOutsideOfTheBoxOrChannelsAreDataLoss) {
  NNSEG_ASSERT_OK(assembler_.Start(header_));
  EXPECT_THAT(AddBox(assembler_, {{{0, 1, 0}}, {{1, 4, 3}}}),
              StatusIs(absl::StatusCode::kDataLoss));
  header_.set_probability_channels(1);
  ProbabilityAssembler one(kGeometry, false);
  NNSEG_ASSERT_OK(one.Start(header_));
  EXPECT_THAT(AddBox(one, box_), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(ProbabilityAssemblerTest, AnAnswerWithoutProbabilitiesIsDataLoss) {
  EXPECT_THAT(AddBox(assembler_, box_), StatusIs(absl::StatusCode::kDataLoss));
  header_.set_probability_type(pb::PROBABILITY_TYPE_UNSPECIFIED);
  EXPECT_THAT(assembler_.Start(header_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("announced")));
  header_.set_probability_type(pb::PROBABILITY_TYPE_FLOAT16);
  header_.set_probability_channels(0);
  EXPECT_THAT(assembler_.Start(header_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("0 channels")));
}

}  // namespace
}  // namespace nnseg
