#include <grpcpp/grpcpp.h>

#include <array>

#include "absl/strings/str_cat.h"
#include "client/connection.h"
#include "client/label_assembler.h"
#include "client/segmentation_client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/wire/geometry_codec.h"
#include "segmentation/v1/segmentation_service.grpc.pb.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

/// Reads the whole upload, then answers with prepared events and an OK status.
class ScriptedService : public pb::SegmentationService::Service {
 public:
  grpc::Status Segment(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<pb::SegmentResponse, pb::SegmentRequest>* stream) override {
    for (pb::SegmentRequest request; stream->Read(&request);) {
      received += request.chunk().data();
      if (request.has_header()) previous_labels_type = request.header().previous_labels_type();
    }
    for (const pb::SegmentResponse& response : script) stream->Write(response);
    return grpc::Status::OK;
  }

  std::vector<pb::SegmentResponse> script;
  std::string received;
  pb::PixelType previous_labels_type = pb::PIXEL_TYPE_UNSPECIFIED;
};

/// The client against a server that may break the protocol; the image has 2 x 1 x 1 voxels and the
/// labels 5 and 6.
class ScriptedServer : public testing::Test {
 protected:
  ScriptedServer() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("localhost:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    channel_ = *OpenChannel(absl::StrCat("localhost:", port), {});
    image_.geometry.size = {2, 1, 1};
    image_.voxels = *VoxelBuffer::Allocate(PixelType::kUint8, 1, {{1, 1, 2}});
    image_.voxels.bytes()[0] = std::byte{'a'};
    image_.voxels.bytes()[1] = std::byte{'b'};

    pb::SegmentResponse response;
    response.mutable_accepted()->set_request_id("id");
    service_.script.push_back(response);
    auto* header = response.mutable_result_header();
    *header->mutable_geometry() = ToProto(image_.geometry);
    header->set_label_type(pb::LABEL_TYPE_UINT8);
    *header->mutable_labelled_box() = ToProto(Box3::Whole({{1, 1, 2}}));
    service_.script.push_back(response);
    auto* chunk = response.mutable_label_chunk();
    *chunk->mutable_box() = ToProto(Box3::Whole({{1, 1, 2}}));
    chunk->set_encoding(pb::LABEL_ENCODING_RAW);
    chunk->set_data("\5\6");
    service_.script.push_back(response);
    LabelMap map{image_.geometry, LabelType::kUint8, Volume<uint16_t>::Filled(1, {{1, 1, 2}}, 5)};
    map.labels.at(0, {{0, 0, 1}}) = 6;
    response.mutable_summary()->mutable_model()->set_name("m");
    response.mutable_summary()->set_label_map_crc32(Crc32Of(map));
    service_.script.push_back(response);
  }

  absl::StatusOr<SegmentResult> Segment(const SegmentParameters& parameters = {}) {
    return SegmentationClient(channel_).Segment(image_, parameters);
  }

  ScriptedService service_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  Image image_;
};

TEST_F(ScriptedServer, AGoodAnswerIsTaken) {
  const auto result = Segment();
  NNSEG_ASSERT_OK(result);
  EXPECT_EQ(result->labels.labels.voxels()[1], 6);
  EXPECT_EQ(result->summary.model().name(), "m");
  EXPECT_EQ(service_.received, "ab");
}

TEST_F(ScriptedServer, ProgressReachesTheCallbackInOrder) {
  for (const int64_t done : {1, 2}) {
    pb::SegmentResponse response;
    response.mutable_progress()->set_tiles_done(done);
    service_.script.insert(service_.script.begin() + done, response);
  }
  SegmentParameters parameters;
  std::vector<int64_t> seen;
  parameters.on_progress = [&](const pb::Progress& p) { seen.push_back(p.tiles_done()); };
  NNSEG_EXPECT_OK(Segment(parameters));
  EXPECT_THAT(seen, testing::ElementsAre(1, 2));
}

TEST_F(ScriptedServer, LabelsOfAPreviousStageFollowTheVoxels) {
  const auto previous = Volume<uint16_t>::Filled(1, {{1, 1, 2}}, 0x6463);  // "cd"
  SegmentParameters parameters;
  parameters.previous_labels = &previous;
  NNSEG_EXPECT_OK(Segment(parameters));
  EXPECT_EQ(service_.received, "abcdcd");
  EXPECT_EQ(service_.previous_labels_type, pb::PIXEL_TYPE_UINT16);
}

TEST_F(ScriptedServer, ProbabilitiesAreTakenWhenAskedFor) {
  auto* header = service_.script[1].mutable_result_header();
  header->set_probability_type(pb::PROBABILITY_TYPE_FLOAT32);
  header->set_probability_channels(1);
  pb::SegmentResponse response;
  auto* chunk = response.mutable_probability_chunk();
  *chunk->mutable_box() = ToProto(Box3::Whole({{1, 1, 2}}));
  chunk->set_encoding(pb::LABEL_ENCODING_RAW);
  const std::array<float, 2> values{0.25F, 0.75F};
  chunk->set_data(values.data(), sizeof values);
  service_.script.insert(service_.script.begin() + 2, response);
  const auto without = Segment();
  NNSEG_ASSERT_OK(without);
  EXPECT_FALSE(without->probabilities.has_value());
  SegmentParameters parameters;
  parameters.options.set_probabilities(pb::PROBABILITY_TYPE_FLOAT32);
  const auto result = Segment(parameters);
  NNSEG_ASSERT_OK(result);
  ASSERT_TRUE(result->probabilities.has_value());
  EXPECT_THAT(result->probabilities->values.ToFloat().voxels(), testing::ElementsAre(0.25, 0.75));
  service_.script.erase(service_.script.begin() + 2);
  EXPECT_THAT(Segment(parameters), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("missing")));
}

TEST_F(ScriptedServer, UnknownEventsAreSkipped) {
  pb::SegmentResponse unknown;
  // A field that this version does not know: number 99, length-delimited, "new".
  ASSERT_TRUE(unknown.ParseFromString(std::string("\x9a\x06\x03new", 6)));
  service_.script.insert(service_.script.begin() + 1, unknown);
  NNSEG_EXPECT_OK(Segment());
}

TEST_F(ScriptedServer, ADamagedLabelMapIsDataLoss) {
  service_.script[2].mutable_label_chunk()->set_data("\5\7");
  EXPECT_THAT(Segment(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("CRC-32")));
}

TEST_F(ScriptedServer, AMissingSummaryIsDataLoss) {
  service_.script.pop_back();
  EXPECT_THAT(Segment(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("summary")));
}

TEST_F(ScriptedServer, AnotherGridThanAskedForIsDataLoss) {
  service_.script[1].mutable_result_header()->mutable_geometry()->set_origin_mm(0, 1);
  EXPECT_THAT(Segment(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("geometry")));
}

TEST_F(ScriptedServer, NoLabelsAreDataLoss) {
  service_.script.erase(service_.script.begin() + 2);
  EXPECT_THAT(Segment(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("missing")));
}

}  // namespace
}  // namespace nnseg
