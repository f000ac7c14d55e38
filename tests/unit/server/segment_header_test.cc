#include "server/segment_header.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/geometry_codec.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tiny_bundle.h"

namespace nnseg {
namespace {

using testing::HasSubstr;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

class SegmentHeaderTest : public testing::Test {
 protected:
  SegmentHeaderTest()
      : repository_(folder_.path(),
                    {{std::make_shared<FakeNetworkLoader>(), std::make_shared<TileScheduler>()}}) {
    WriteTinyBundle(folder_.path());
    NNSEG_EXPECT_OK(repository_.Scan());
    repository_.LoadAll();
  }

  // A good header after `change`.
  absl::StatusOr<AcceptedCase> Check(const std::function<void(pb::SegmentHeader&)>& change) {
    pb::SegmentHeader header;
    header.mutable_model()->set_name("tiny");
    *header.mutable_geometry() = ToProto(Geometry{.size = {10, 12, 14}});
    header.set_pixel_type(pb::PIXEL_TYPE_INT16);
    change(header);
    return CheckHeader(header, repository_);
  }

  TemporaryFolder folder_;
  ModelRepository repository_;
};

TEST_F(SegmentHeaderTest, DefaultsAreNnunetsAndTheModels) {
  const auto accepted = Check([](auto&) {});
  NNSEG_ASSERT_OK(accepted);
  EXPECT_EQ(accepted->channels, 1);
  EXPECT_EQ(accepted->options.tile_step_size, 0.5);
  EXPECT_TRUE(accepted->options.use_mirroring);
  EXPECT_TRUE(accepted->options.use_gaussian);
  EXPECT_TRUE(accepted->options.folds.empty());
  EXPECT_EQ(accepted->options.postprocess, std::nullopt);
  EXPECT_EQ(accepted->options.precision, "fp32");
  EXPECT_FALSE(accepted->options.probabilities);
  EXPECT_EQ(accepted->options.priority, Priority::kBatch);
  EXPECT_FALSE(accepted->options.reduce_to_deadline);
  EXPECT_EQ(accepted->label_encoding, pb::LABEL_ENCODING_ZLIB);
  EXPECT_EQ(accepted->model->bundle().manifest.version, 1);
  EXPECT_GT(accepted->bytes, (32 << 20) + 10 * 12 * 14 * 2);
  EXPECT_EQ(accepted->device_bytes, 0);
}

TEST_F(SegmentHeaderTest, OptionsAreRead) {
  const auto accepted = Check([](auto& header) {
    auto& options = *header.mutable_options();
    options.set_engine(pb::ENGINE_CHOICE_TORCH);
    options.add_folds("1");
    options.set_mirroring(pb::TOGGLE_OFF);
    options.set_gaussian(pb::TOGGLE_OFF);
    options.set_tile_step_size(0.75);
    options.set_postprocessing(pb::TOGGLE_OFF);
    options.set_label_encoding(pb::LABEL_ENCODING_RAW);
    options.set_provisional_labels(true);
    options.set_precision(pb::PRECISION_EXACT);
    options.set_probabilities(pb::PROBABILITY_TYPE_FLOAT16);
    options.set_priority(pb::PRIORITY_INTERACTIVE);
    options.set_reduce_to_meet_deadline(true);
  });
  NNSEG_ASSERT_OK(accepted);
  EXPECT_EQ(accepted->options.engine, "torch");
  EXPECT_THAT(accepted->options.folds, testing::ElementsAre("1"));
  EXPECT_FALSE(accepted->options.use_mirroring);
  EXPECT_FALSE(accepted->options.use_gaussian);
  EXPECT_EQ(accepted->options.tile_step_size, 0.75);
  EXPECT_EQ(accepted->label_encoding, pb::LABEL_ENCODING_RAW);
  EXPECT_EQ(accepted->options.postprocess, false);
  EXPECT_TRUE(accepted->options.provisional_labels);
  EXPECT_EQ(accepted->options.precision, "exact");
  EXPECT_TRUE(accepted->options.probabilities);
  EXPECT_EQ(accepted->probability_type, pb::PROBABILITY_TYPE_FLOAT16);
  EXPECT_EQ(accepted->options.priority, Priority::kInteractive);
  EXPECT_TRUE(accepted->options.reduce_to_deadline);
}

TEST_F(SegmentHeaderTest, RefusesWhatCannotBeDone) {
  EXPECT_THAT(Check([](auto& header) { header.mutable_model()->set_name("other"); }),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Check([](auto& header) { header.mutable_model()->set_version(2); }),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Check([](auto& header) { header.set_previous_labels_type(pb::PIXEL_TYPE_INT16); }),
              StatusIs(kInvalid, HasSubstr("previous_labels_type: got 3")));
  EXPECT_THAT(Check([](auto& header) { header.set_previous_labels_type(pb::PIXEL_TYPE_UINT8); }),
              StatusIs(kInvalid, HasSubstr("is no cascade")));
  EXPECT_THAT(Check([](auto& header) {
                header.mutable_options()->set_probabilities(static_cast<pb::ProbabilityType>(9));
              }),
              StatusIs(kInvalid, HasSubstr("options.probabilities: got 9")));
  EXPECT_THAT(Check([](auto& header) { header.set_channels(2); }),
              StatusIs(kInvalid, "channels: got 2, expected 1"));
  EXPECT_THAT(Check([](auto& header) { header.set_channels(-1); }), StatusIs(kInvalid));
  EXPECT_THAT(Check([](auto& header) { header.clear_pixel_type(); }),
              StatusIs(kInvalid, HasSubstr("pixel_type")));
  EXPECT_THAT(Check([](auto& header) { header.clear_geometry(); }),
              StatusIs(kInvalid, HasSubstr("geometry.size")));
  EXPECT_THAT(Check([](auto& header) {
                header.mutable_options()->set_engine(static_cast<pb::EngineChoice>(7));
              }),
              StatusIs(kInvalid, HasSubstr("options.engine: got 7")));
  EXPECT_THAT(Check([](auto& header) {
                header.mutable_options()->set_precision(static_cast<pb::Precision>(8));
              }),
              StatusIs(kInvalid,
                       HasSubstr("options.precision: got 8, expected one of Precision's 0 to 7")));
  for (const auto& [precision, name] : {std::pair{pb::PRECISION_BF16, "bf16"},
                                        {pb::PRECISION_INT8, "int8"},
                                        {pb::PRECISION_INT8_BF16, "int8_bf16"},
                                        {pb::PRECISION_FP16, "fp16"}}) {
    EXPECT_THAT(Check([&](auto& header) { header.mutable_options()->set_precision(precision); }),
                StatusIs(kInvalid, HasSubstr(absl::StrCat("precision is '", name, "'"))));
  }
  EXPECT_THAT(Check([](auto& header) {
                header.mutable_options()->set_mirroring(static_cast<pb::Toggle>(3));
              }),
              StatusIs(kInvalid, HasSubstr("options.mirroring: got 3")));
  EXPECT_THAT(Check([](auto& header) {
                header.mutable_options()->set_priority(static_cast<pb::Priority>(3));
              }),
              StatusIs(kInvalid, HasSubstr("options.priority: got 3")));
  EXPECT_THAT(
      Check([](auto& header) { header.mutable_options()->set_engine(pb::ENGINE_CHOICE_OPENVINO); }),
      StatusIs(kInvalid));
  EXPECT_THAT(Check([](auto& header) { header.mutable_options()->add_folds("9"); }),
              StatusIs(kInvalid));
  for (const double step : {-0.5, 1.5, std::nan("")}) {
    EXPECT_THAT(Check([&](auto& header) { header.mutable_options()->set_tile_step_size(step); }),
                StatusIs(kInvalid))
        << step;
  }
}

TEST_F(SegmentHeaderTest, KeptVolumeStandsInForTheImage) {
  KeptImage kept{.geometry = {.size = {10, 12, 14}, .spacing_mm = {1, 2, 3}},
                 .voxels = VoxelBuffer::Allocate(PixelType::kInt16, 1, {{14, 12, 10}}).value()};
  pb::SegmentHeader header;
  header.mutable_model()->set_name("tiny");
  header.set_volume_id("id");
  const auto accepted = CheckHeader(header, repository_, &kept);
  NNSEG_ASSERT_OK(accepted);
  EXPECT_EQ(accepted->geometry, kept.geometry);
  EXPECT_EQ(accepted->pixel_type, PixelType::kInt16);
  // The volume's own bytes and those of an upload are not counted again.
  const auto sent = Check([](auto& sent_header) {
    sent_header.mutable_geometry()->set_spacing_mm(1, 2);
    sent_header.mutable_geometry()->set_spacing_mm(2, 3);
  });
  NNSEG_ASSERT_OK(sent);
  EXPECT_EQ(sent->bytes - accepted->bytes, (32 << 20) + 10 * 12 * 14 * 2);
}

TEST_F(SegmentHeaderTest, KeptVolumeAllowsNoImageBesideIt) {
  const KeptImage kept{
      .geometry = {.size = {10, 12, 14}},
      .voxels = VoxelBuffer::Allocate(PixelType::kInt16, 2, {{14, 12, 10}}).value()};
  const auto check = [&](const std::function<void(pb::SegmentHeader&)>& change) {
    pb::SegmentHeader header;
    header.mutable_model()->set_name("tiny");
    change(header);
    return CheckHeader(header, repository_, &kept);
  };
  EXPECT_THAT(check([](auto& header) {
                *header.mutable_geometry() = ToProto(Geometry{.size = {1, 1, 1}});
              }),
              StatusIs(kInvalid, HasSubstr("volume_id: got it with a geometry")));
  EXPECT_THAT(check([](auto& header) { header.set_pixel_type(pb::PIXEL_TYPE_INT16); }),
              StatusIs(kInvalid, HasSubstr("pixel_type 3")));
  EXPECT_THAT(check([](auto& header) { header.set_channels(2); }),
              StatusIs(kInvalid, HasSubstr("channels 2, expected none")));
  EXPECT_THAT(check([](auto&) {}), StatusIs(kInvalid, "channels: got 2, expected 1"));
}

TEST(RequestId, GoodClientIdIsKept) {
  EXPECT_EQ(RequestIdFor("Case_7.a-b"), "Case_7.a-b");
  EXPECT_EQ(RequestIdFor(std::string(64, 'x')), std::string(64, 'x'));
}

TEST(RequestId, AnythingElseIsReplacedByARandomOne) {
  for (const std::string& bad :
       {std::string(), std::string(65, 'x'), std::string("a b"), std::string("a\nb"),
        std::string("\xC3\xA4"), std::string("a\0b", 3), std::string("../x")}) {
    const std::string id = RequestIdFor(bad);
    EXPECT_THAT(id, testing::MatchesRegex("[0-9a-f]{32}"));
    EXPECT_NE(id, RequestIdFor(bad));
  }
}

TEST_F(SegmentHeaderTest, RegionsAreReadAndNotPostprocessed) {
  const Box3 box{{{1, 2, 3}}, {{4, 5, 6}}};
  const auto regions = [&](pb::SegmentHeader& header) {
    *header.add_regions()->mutable_voxels() = ToProto(box);
    header.add_regions()->mutable_mm()->mutable_begin_mm()->Resize(3, 8);
    header.mutable_regions(1)->mutable_mm()->mutable_end_mm()->Resize(3, 9);
  };
  const auto accepted = Check(regions);
  NNSEG_ASSERT_OK(accepted);
  EXPECT_THAT(accepted->regions, testing::ElementsAre(box, Box3{{{8, 8, 8}}, {{10, 10, 10}}}));
  EXPECT_THAT(Check([&](pb::SegmentHeader& header) {
                regions(header);
                header.mutable_options()->set_postprocessing(pb::TOGGLE_ON);
              }),
              StatusIs(kInvalid, HasSubstr("with regions")));
  EXPECT_THAT(Check([&](pb::SegmentHeader& header) {
                *header.add_regions()->mutable_voxels() = ToProto(Box3{{}, {{1, 1, 11}}});
              }),
              StatusIs(kInvalid, HasSubstr("regions[0]: box: got [0, 11) along array axis 2")));
}

}  // namespace
}  // namespace nnseg
