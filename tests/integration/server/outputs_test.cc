// What a request may ask for besides labels.
#include <zlib.h>

#include <algorithm>

#include "core/volume/label_map.h"
#include "proto/wire/chunk_writer.h"
#include "proto/wire/geometry_codec.h"
#include "proto/wire/probability_codec.h"
#include "tests/integration/server/server_fixture.h"
#include "tests/support/recording_observer.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

const char* const kRules = R"({
  "postprocessing_fns": ["remove_all_but_largest_component_from_segmentation"],
  "postprocessing_kwargs": [{"labels_or_regions": [1]}]})";

class OutputsTest : public ServerFixture {
 protected:
  // Header, voxels and then labels of a previous stage.
  Answer SegmentWith(const pb::SegmentHeader& header, const std::vector<std::byte>& labels) {
    SegmentCall call(stub());
    call.Send(header);
    const std::vector<std::byte> image = ImageBytes();
    call.SendVoxels(image);
    ChunkWriter writer(labels, 1000, image.size());
    pb::SegmentRequest request;
    while (writer.Next(*request.mutable_chunk())) call.Send(request);
    call.CloseSending();
    return call.Finish();
  }

  static pb::SegmentHeader HeaderFor(const std::string& model) {
    pb::SegmentHeader header = Header();
    header.mutable_model()->set_name(model);
    return header;
  }
};

TEST_F(OutputsTest, ProbabilitiesComeForEveryChannelAndVoxel) {
  StartServer();
  pb::SegmentHeader header = Header();
  header.mutable_options()->set_probabilities(pb::PROBABILITY_TYPE_FLOAT32);
  const Answer answer = Segment(header);
  NNSEG_ASSERT_OK(answer.status);
  Box3 box;
  Volume<float> sums;
  int64_t values = 0;
  for (const auto& event : answer.events) {
    if (event.has_result_header()) {
      EXPECT_EQ(event.result_header().probability_type(), pb::PROBABILITY_TYPE_FLOAT32);
      EXPECT_EQ(event.result_header().probability_channels(), 3);
      box = *FromProto(event.result_header().labelled_box(), Box3::Whole(kShape));
      sums = Volume<float>::Filled(1, box.shape(), 0);
    } else if (event.has_probability_chunk()) {
      const auto part =
          DecodeProbabilities(event.probability_chunk(), pb::PROBABILITY_TYPE_FLOAT32, 3, box);
      NNSEG_ASSERT_OK(part);
      const Shape3 shape = part->box.shape();
      auto value = part->values.begin();
      for (int64_t z = 0; z < shape[0]; ++z) {
        for (int64_t y = 0; y < shape[1]; ++y) {
          for (int64_t x = 0; x < shape[2]; ++x) {
            sums.at(0, part->box.begin - box.begin + Index3{{z, y, x}}) += *value++;
            ++values;
          }
        }
      }
    }
  }
  EXPECT_EQ(values, 3 * box.shape().voxels());
  for (const float sum : sums.voxels()) ASSERT_NEAR(sum, 1, 1e-5);
}

TEST_F(OutputsTest, NoProbabilitiesWithoutAsking) {
  StartServer();
  const Answer answer = Segment();
  NNSEG_ASSERT_OK(answer.status);
  for (const auto& event : answer.events) EXPECT_FALSE(event.has_probability_chunk());
}

TEST_F(OutputsTest, ProvisionalLabelsComeOnlyWhenAskedFor) {
  WriteTinyBundle(folder_.path(), {.name = "ruled", .postprocessing = kRules});
  StartServer();
  pb::SegmentHeader header = HeaderFor("ruled");
  const auto provisional = [](const Answer& answer) {
    return std::ranges::count_if(answer.events, [](const auto& event) {
      return event.has_label_chunk() && event.label_chunk().provisional();
    });
  };
  const Answer final_only = Segment(header);
  NNSEG_ASSERT_OK(final_only.status);
  EXPECT_EQ(provisional(final_only), 0);
  EXPECT_TRUE(final_only.summary().postprocessed());
  header.mutable_options()->set_provisional_labels(true);
  SegmentCall call(stub());
  call.Send(header);
  call.SendVoxels(ImageBytes());
  call.CloseSending();
  int64_t chunks = 0;
  bool final_seen = false;
  pb::Summary summary;
  ASSERT_TRUE(call.ReadUntil([&](const pb::SegmentResponse& event) {
    if (event.has_label_chunk()) {
      final_seen |= !event.label_chunk().provisional();
      EXPECT_FALSE(final_seen && event.label_chunk().provisional());
      chunks += event.label_chunk().provisional() ? 1 : 0;
    }
    summary = event.summary();
    return event.has_summary();
  }));
  EXPECT_GT(chunks, 0);
  EXPECT_TRUE(final_seen);
  EXPECT_EQ(summary.label_map_crc32(), final_only.summary().label_map_crc32());
}

TEST_F(OutputsTest, PreviousLabelsFollowTheImage) {
  WriteTinyBundle(folder_.path(), {.name = "high",
                                   .configuration = "3d_cascade_fullres",
                                   .previous_configuration = "3d_lowres"});
  StartServer();
  pb::SegmentHeader header = HeaderFor("high");
  EXPECT_THAT(Segment(header).status,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("3d_lowres are missing")));
  header.set_previous_labels_type(pb::PIXEL_TYPE_UINT8);
  const auto voxels = static_cast<std::size_t>(kShape.voxels());
  const Answer ones = SegmentWith(header, std::vector<std::byte>(voxels, std::byte{1}));
  const Answer zeros = SegmentWith(header, std::vector<std::byte>(voxels, std::byte{0}));
  NNSEG_ASSERT_OK(ones.status);
  NNSEG_ASSERT_OK(zeros.status);
  EXPECT_NE(ones.summary().label_map_crc32(), zeros.summary().label_map_crc32());
  header.set_previous_labels_type(pb::PIXEL_TYPE_UINT16);
  std::vector<std::byte> wide(2 * voxels, std::byte{0});
  for (std::size_t i = 0; i < wide.size(); i += 2) wide[i] = std::byte{1};
  const Answer wide_ones = SegmentWith(header, wide);
  NNSEG_ASSERT_OK(wide_ones.status);
  EXPECT_EQ(wide_ones.summary().label_map_crc32(), ones.summary().label_map_crc32());
  EXPECT_THAT(SegmentWith(header, std::vector<std::byte>(voxels)).status,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("upload: got")));
}

TEST_F(OutputsTest, TellsWhatTheDeadlineCost) {
  // By their own account the networks need days.
  StartServer("", [](FakePatchNetwork& network) { network.record().Add(1e6, 1); });
  pb::SegmentHeader header = Header();
  header.mutable_options()->set_reduce_to_meet_deadline(true);
  const Answer reduced = Segment(header);
  NNSEG_ASSERT_OK(reduced.status);
  EXPECT_THAT(reduced.summary().reductions(),
              testing::ElementsAre(pb::REDUCTION_MIRRORING, pb::REDUCTION_FOLDS));
  EXPECT_EQ(reduced.summary().folds_size(), 1);
  EXPECT_EQ(reduced.summary().mirroring_axes_size(), 0);
  header.mutable_options()->set_reduce_to_meet_deadline(false);
  const Answer whole = Segment(header);
  NNSEG_ASSERT_OK(whole.status);
  EXPECT_EQ(whole.summary().reductions_size(), 0);
  EXPECT_EQ(whole.summary().folds_size(), 2);
}

TEST_F(OutputsTest, GetModelTellsWhatAModelIs) {
  WriteTinyBundle(folder_.path(), {.name = "low", .configuration = "3d_lowres"});
  WriteTinyBundle(folder_.path(), {.name = "high",
                                   .configuration = "3d_cascade_fullres",
                                   .previous_configuration = "3d_lowres",
                                   .previous_stage = {{.name = "low", .version = 1}},
                                   .postprocessing = kRules});
  WriteTinyBundle(folder_.path(), {.name = "flat",
                                   .mirroring_axes = {1, 2},
                                   .patch_dimensions = 2,
                                   .patch_size = {{1, 8, 8}},
                                   .image_reader_writer = "NibabelIO"});
  WriteTinyEnsemble(folder_.path(), "both", {{"low", 1}, {"tiny", 1}});
  StartServer();
  const auto models = pb::ModelService::NewStub(NewChannel());
  const auto get = [&](const std::string& name) {
    grpc::ClientContext context;
    pb::GetModelRequest request;
    request.mutable_model()->set_name(name);
    pb::GetModelResponse response;
    EXPECT_TRUE(models->GetModel(&context, request, &response).ok()) << name;
    return response;
  };
  const pb::GetModelResponse high = get("high");
  EXPECT_EQ(high.previous_stage(), "3d_lowres");
  EXPECT_EQ(high.previous_stage_model().name(), "low");
  EXPECT_TRUE(high.has_postprocessing());
  const pb::GetModelResponse flat = get("flat");
  EXPECT_THAT(flat.patch_size(), testing::ElementsAre(8, 8));
  EXPECT_EQ(flat.spacing_mm_size(), 2);
  EXPECT_EQ(flat.image_reader_writer(), "NibabelIO");
  const pb::GetModelResponse both = get("both");
  ASSERT_EQ(both.members_size(), 2);
  EXPECT_EQ(both.members(1).name(), "tiny");
  EXPECT_EQ(both.patch_size_size(), 0);
  EXPECT_EQ(both.labels_size(), 3);
}

TEST_F(OutputsTest, RegionsHaveTheWholeImagesLabels) {
  StartServer();
  const Answer whole = Segment();
  NNSEG_ASSERT_OK(whole.status);
  pb::SegmentHeader header = Header();
  const Box3 voxels{{{3, 2, 1}}, {{6, 7, 5}}};
  *header.add_regions()->mutable_voxels() = ToProto(voxels);
  // Voxels 6 and 7 along each axis, from the origin at 1.5, -20, 300.
  pb::PhysicalBox& mm = *header.add_regions()->mutable_mm();
  for (const double origin : {1.5, -20.0, 300.0}) {
    mm.add_begin_mm(origin + 6);
    mm.add_end_mm(origin + 6.7);
  }
  const Answer part = Segment(header);
  NNSEG_ASSERT_OK(part.status);
  EXPECT_FALSE(part.summary().postprocessed());
  auto expected = Volume<uint16_t>::Filled(1, kShape, 0);
  for (const Box3& region : {voxels, Box3{{{6, 6, 6}}, {{8, 8, 8}}}}) {
    // The image has a border of two zeros.
    const Box3 box = Intersection(region, {{{2, 2, 2}}, {{12, 10, 8}}});
    for (int64_t z = box.begin[0]; z < box.end[0]; ++z) {
      for (int64_t y = box.begin[1]; y < box.end[1]; ++y) {
        for (int64_t x = box.begin[2]; x < box.end[2]; ++x) {
          expected.at(0, {{z, y, x}}) = whole.labels.at(0, {{z, y, x}});
        }
      }
    }
  }
  EXPECT_TRUE(std::ranges::equal(part.labels.voxels(), expected.voxels()));
  const auto crc = crc32_z(0, nullptr, 0);
  std::vector<uint8_t> bytes(expected.voxels().begin(), expected.voxels().end());
  EXPECT_EQ(part.summary().label_map_crc32(), crc32_z(crc, bytes.data(), bytes.size()));
}

}  // namespace
}  // namespace nnseg
