// Volumes that are kept between requests, over a real server.
#include <cmath>
#include <cstring>
#include <future>

#include "absl/strings/str_cat.h"
#include "proto/wire/status_codec.h"
#include "tests/integration/server/server_fixture.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kNotFound = absl::StatusCode::kNotFound;
constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;

constexpr int64_t kImageBytes = 14 * 12 * 10 * 4;

class VolumesTest : public ServerFixture {
 protected:
  // Everything but these bytes has gone back.
  bool OnlyLeft(int64_t bytes) {
    return WaitFor([&] {
      return server_->admission().places_in_use() == 0 &&
             server_->admission().bytes_in_use() == bytes;
    });
  }

  static double PreprocessSeconds(const Answer& answer) {
    for (const auto& timing : answer.summary().timings()) {
      if (timing.stage() == pb::STAGE_PREPROCESS) {
        return static_cast<double>(timing.duration().seconds()) + 1e-9 * timing.duration().nanos();
      }
    }
    return -1;
  }

  // All metrics once every stream has counted its end, which follows its status.
  std::string Metrics() {
    EXPECT_TRUE(WaitFor(
        [&] { return HttpGet("/metrics").find("nnseg_open_streams 0\n") != std::string::npos; }));
    return HttpGet("/metrics");
  }

  // The status of an upload after `steps`.
  absl::Status StatusAfter(const std::function<void(UploadCall&)>& steps) {
    UploadCall call(volumes());
    steps(call);
    return call.Finish().status();
  }
  absl::Status StatusOfHeader(const std::function<void(pb::VolumeHeader&)>& change) {
    return StatusAfter([&](UploadCall& call) {
      pb::VolumeHeader header = VolumeHeader();
      change(header);
      call.Send(header);
    });
  }
};

TEST_F(VolumesTest, OneUploadServesSeveralRequestsAndIsPreparedOnce) {
  StartServer();
  const std::string id = UploadVolume();
  EXPECT_THAT(id, testing::MatchesRegex("[0-9a-f]{32}"));
  const Answer first = SegmentKept(id);
  const Answer second = SegmentKept(id);
  NNSEG_ASSERT_OK(first.status);
  NNSEG_ASSERT_OK(second.status);
  EXPECT_GT(PreprocessSeconds(first), 0);
  EXPECT_EQ(PreprocessSeconds(second), 0);
  EXPECT_THAT(Metrics(), HasSubstr("nnseg_prepared_reused_total 1\n"));

  const Answer plain = Segment();
  NNSEG_ASSERT_OK(plain.status);
  for (const Answer* answer : {&first, &second}) {
    EXPECT_EQ(CountDifferent<uint16_t>(answer->labels.voxels(), plain.labels.voxels()), 0);
    EXPECT_EQ(answer->summary().label_map_crc32(), plain.summary().label_map_crc32());
  }
  for (const auto& event : second.events) {
    if (!event.has_result_header()) continue;
    EXPECT_EQ(event.result_header().geometry().SerializeAsString(),
              VolumeHeader().geometry().SerializeAsString());
  }
}

TEST_F(VolumesTest, ModelsOfEqualPreprocessingShareThePreparedForm) {
  WriteTinyBundle(folder_.path(), {.name = "twin", .folds = {"0"}, .foreground_labels = 3});
  WriteTinyBundle(folder_.path(), {.name = "coarse", .spacing_mm = 2.0});
  StartServer();
  const std::string id = UploadVolume();
  NNSEG_ASSERT_OK(SegmentKept(id).status);
  pb::SegmentHeader kept;
  kept.set_volume_id(id);
  for (const char* model : {"twin", "coarse"}) {
    kept.mutable_model()->set_name(model);
    pb::SegmentHeader sent = Header();
    sent.mutable_model()->set_name(model);
    SegmentCall call(stub());
    call.Send(kept);
    call.CloseSending();
    const Answer answer = call.Finish();
    NNSEG_ASSERT_OK(answer.status);
    EXPECT_EQ(PreprocessSeconds(answer) == 0, model == std::string("twin")) << model;
    EXPECT_EQ(answer.summary().label_map_crc32(), Segment(sent).summary().label_map_crc32());
  }
}

TEST_F(VolumesTest, MetricsTellWhatIsKept) {
  StartServer();
  const std::string id = UploadVolume();
  EXPECT_TRUE(OnlyLeft(kImageBytes));
  std::string metrics = Metrics();
  EXPECT_THAT(metrics, HasSubstr("nnseg_kept_volumes 1\n"));
  EXPECT_THAT(metrics, HasSubstr(absl::StrCat("nnseg_kept_volume_bytes ", kImageBytes, "\n")));
  EXPECT_THAT(metrics, HasSubstr(R"(nnseg_volume_uploads_total{code="OK"} 1)"));
  EXPECT_THAT(metrics, HasSubstr("nnseg_prepared_reused_total 0\n"));
  NNSEG_EXPECT_OK(SegmentKept(id).status);
  // The image and its prepared form: the crop of 10 x 8 x 6 voxels as float.
  EXPECT_TRUE(OnlyLeft(kImageBytes + 10 * 8 * 6 * 4));
  NNSEG_EXPECT_OK(ReleaseVolume(id));
  EXPECT_TRUE(OnlyLeft(0));
  metrics = Metrics();
  EXPECT_THAT(metrics, HasSubstr("nnseg_kept_volumes 0\n"));
  EXPECT_THAT(metrics, HasSubstr("nnseg_kept_volume_bytes 0\n"));
  EXPECT_THAT(metrics, testing::Not(HasSubstr(id)));
}

TEST_F(VolumesTest, ReleasedOrUnknownVolumeIsNotFound) {
  StartServer();
  const std::string id = UploadVolume();
  NNSEG_EXPECT_OK(ReleaseVolume(id));
  EXPECT_THAT(ReleaseVolume(id), StatusIs(kNotFound, HasSubstr("no such volume")));
  EXPECT_THAT(SegmentKept(id).status, StatusIs(kNotFound, HasSubstr("no such volume")));
  EXPECT_THAT(SegmentKept("../etc").status, StatusIs(kNotFound));
  EXPECT_THAT(ReleaseVolume(""), StatusIs(kNotFound));
}

TEST_F(VolumesTest, ReleaseWhileInUseLetsTheRequestFinish) {
  StartServer("", HoldPasses());
  const std::string id = UploadVolume();
  pb::SegmentHeader header;
  header.mutable_model()->set_name("tiny");
  header.set_volume_id(id);
  SegmentCall running(stub());
  running.Send(header);
  running.CloseSending();
  gate_.AwaitArrivals(1);
  NNSEG_EXPECT_OK(ReleaseVolume(id));
  EXPECT_THAT(SegmentKept(id).status, StatusIs(kNotFound));
  gate_.Open();
  const Answer answer = running.Finish();
  NNSEG_ASSERT_OK(answer.status);
  const auto expected = ExpectedLabels();
  EXPECT_EQ(CountDifferent<uint16_t>(answer.labels.voxels(), expected.voxels()), 0);
  EXPECT_TRUE(OnlyLeft(0));
}

TEST_F(VolumesTest, IdleVolumeIsFreedByItself) {
  StartServer();
  pb::VolumeHeader header = VolumeHeader();
  header.mutable_idle_timeout()->set_nanos(1000000);
  UploadCall call(volumes());
  call.Send(header);
  call.SendVoxels(ImageBytes());
  const auto response = call.Finish();
  NNSEG_ASSERT_OK(response);
  EXPECT_EQ(response->idle_timeout().nanos(), 1000000);
  EXPECT_TRUE(OnlyLeft(0));
  EXPECT_THAT(SegmentKept(response->volume_id()).status, StatusIs(kNotFound));
}

TEST_F(VolumesTest, LongestIdleTimeIsTheServers) {
  StartServer("volumes { idle_timeout_seconds: 20 }");
  for (const int64_t wish : {int64_t{0}, int64_t{7}, int64_t{1} << 60}) {
    pb::VolumeHeader header = VolumeHeader();
    if (wish > 0) header.mutable_idle_timeout()->set_seconds(wish);
    UploadCall call(volumes());
    call.Send(header);
    call.SendVoxels(ImageBytes());
    const auto response = call.Finish();
    NNSEG_ASSERT_OK(response);
    EXPECT_EQ(response->idle_timeout().seconds(), wish == 7 ? 7 : 20);
  }
}

TEST_F(VolumesTest, FullStoreRefusesUploadsUntilAVolumeGoes) {
  StartServer(absl::StrCat("volumes { memory_bytes: ", 3 * kImageBytes / 2, " }"));
  const std::string id = UploadVolume();
  EXPECT_THAT(StatusOfHeader([](auto&) {}), StatusIs(kExhausted, HasSubstr("try again later")));
  NNSEG_EXPECT_OK(Segment().status);  // images that are sent are not concerned
  NNSEG_EXPECT_OK(ReleaseVolume(id));
  EXPECT_FALSE(UploadVolume().empty());
  EXPECT_THAT(Metrics(), HasSubstr(R"(nnseg_rejected_total{reason="volumes_full"} 1)"));
}

TEST_F(VolumesTest, NumberOfVolumesIsLimited) {
  StartServer("volumes { max_volumes: 1 }");
  UploadVolume();
  EXPECT_THAT(StatusOfHeader([](auto&) {}),
              StatusIs(kExhausted, HasSubstr("all 1 places for volumes")));
}

TEST_F(VolumesTest, WithoutRoomForThePreparedFormEachRequestPrepares) {
  StartServer(absl::StrCat("volumes { memory_bytes: ", kImageBytes, " }"));
  const std::string id = UploadVolume();
  for (int i = 0; i < 2; ++i) {
    const Answer answer = SegmentKept(id);
    NNSEG_ASSERT_OK(answer.status);
    EXPECT_GT(PreprocessSeconds(answer), 0);
  }
}

TEST_F(VolumesTest, MalformedUploadsAreRefusedByTheRulesOfSegment) {
  StartServer();
  const auto good = [](UploadCall& call) { call.Send(VolumeHeader()); };
  EXPECT_THAT(StatusAfter([](UploadCall&) {}),
              StatusIs(kInvalid, "stream: got no message, expected a header first"));
  EXPECT_THAT(StatusAfter([](UploadCall& call) { call.Send(0, "voxels"); }),
              StatusIs(kInvalid, "stream: got a chunk, expected a header first"));
  EXPECT_THAT(StatusAfter([&](UploadCall& call) {
                good(call);
                good(call);
              }),
              StatusIs(kInvalid, "stream: got a second header, expected a chunk"));
  EXPECT_THAT(StatusAfter([&](UploadCall& call) {
                good(call);
                call.Send(7, "voxels");
              }),
              StatusIs(kInvalid, "chunk: got offset 7, expected 0 (a gap)"));
  EXPECT_THAT(StatusAfter([&](UploadCall& call) {
                good(call);
                const std::vector<std::byte> image = ImageBytes();
                call.SendVoxels(std::span(image).first(6719));
              }),
              StatusIs(kInvalid, "upload: got 6719 bytes, expected 6720"));
  EXPECT_THAT(StatusAfter([&](UploadCall& call) {
                good(call);
                call.SendVoxels(ImageBytes());
                call.Send(6720, "more");
              }),
              StatusIs(kInvalid, HasSubstr("got 4 bytes at offset 6720, expected at most 0")));
  EXPECT_THAT(StatusAfter([&](UploadCall& call) {
                std::vector<std::byte> image = ImageBytes();
                const float infinite = HUGE_VALF;
                std::memcpy(image.data(), &infinite, 4);
                good(call);
                call.SendVoxels(image);
              }),
              StatusIs(kInvalid, HasSubstr("is inf")));
  EXPECT_THAT(StatusOfHeader([](auto& header) { header.clear_pixel_type(); }),
              StatusIs(kInvalid, HasSubstr("pixel_type: got 0")));
  EXPECT_THAT(StatusOfHeader([](auto& header) { header.clear_geometry(); }),
              StatusIs(kInvalid, HasSubstr("geometry.size")));
  EXPECT_THAT(StatusOfHeader([](auto& header) { header.set_channels(-2); }), StatusIs(kInvalid));
  EXPECT_THAT(StatusOfHeader([](auto& header) { header.mutable_idle_timeout()->set_seconds(-1); }),
              StatusIs(kInvalid, "idle_timeout: got -1 s, expected more than 0"));
  EXPECT_TRUE(OnlyLeft(0));
  EXPECT_THAT(Metrics(), HasSubstr(R"(nnseg_volume_uploads_total{code="INVALID_ARGUMENT"} 11)"));
}

TEST_F(VolumesTest, HeaderWithAVolumeTakesNoImage) {
  StartServer();
  const std::string id = UploadVolume();
  pb::SegmentHeader header = Header();
  header.set_volume_id(id);
  EXPECT_THAT(Segment(header).status,
              StatusIs(kInvalid, HasSubstr("volume_id: got it with a geo")));
  header.clear_geometry();
  header.clear_pixel_type();
  EXPECT_THAT(Segment(header).status,
              StatusIs(kInvalid,
                       "chunk: got 1000 bytes, expected no chunk: the image is not sent "
                       "here"));
  EXPECT_TRUE(OnlyLeft(kImageBytes));
}

TEST_F(VolumesTest, PreviousLabelsMayFollowAHeaderWithAVolume) {
  WriteTinyBundle(folder_.path(), {.name = "low", .configuration = "3d_lowres"});
  TinyBundleOptions cascade{.name = "high", .configuration = "3d_cascade_fullres"};
  cascade.previous_configuration = "3d_lowres";
  WriteTinyBundle(folder_.path(), cascade);
  StartServer();
  const std::string id = UploadVolume();
  const std::vector<std::byte> image = ImageBytes();
  std::string labels(image.size() / 4, '\1');
  pb::SegmentHeader header = Header();
  header.mutable_model()->set_name("high");
  header.set_previous_labels_type(pb::PIXEL_TYPE_UINT8);
  SegmentCall sent(stub());
  sent.Send(header);
  sent.SendVoxels(image);
  sent.Send(image.size(), labels);
  sent.CloseSending();
  const Answer expected = sent.Finish();
  NNSEG_ASSERT_OK(expected.status);

  header.clear_geometry();
  header.clear_pixel_type();
  header.set_volume_id(id);
  SegmentCall kept(stub());
  kept.Send(header);
  kept.Send(0, labels);
  kept.CloseSending();
  const Answer answer = kept.Finish();
  NNSEG_ASSERT_OK(answer.status);
  EXPECT_EQ(answer.summary().label_map_crc32(), expected.summary().label_map_crc32());
  EXPECT_GT(PreprocessSeconds(answer), 0);
  EXPECT_TRUE(OnlyLeft(kImageBytes));  // what depends on labels is not kept
}

TEST_F(VolumesTest, ClientThatGoesMidUploadLeavesNothingBehind) {
  StartServer();
  UploadCall call(volumes());
  call.Send(VolumeHeader());
  call.Send(0, std::string(1000, '\0'));
  ASSERT_TRUE(WaitFor([&] { return server_->admission().places_in_use() == 1; }));
  call.Cancel();
  EXPECT_THAT(call.Finish(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_TRUE(OnlyLeft(0));
  const std::string metrics = Metrics();
  EXPECT_THAT(metrics, HasSubstr("nnseg_kept_volume_bytes 0\n"));
  EXPECT_THAT(metrics, HasSubstr(R"(nnseg_volume_uploads_total{code="CANCELLED"} 1)"));
  EXPECT_THAT(metrics, HasSubstr(R"(nnseg_cancelled_total{stage="receive"} 1)"));
}

TEST_F(VolumesTest, SilentUploadEnds) {
  StartServer("limits { stall_seconds: 0.1 }");
  UploadCall call(volumes());
  call.Send(VolumeHeader());
  ASSERT_TRUE(WaitFor([&] { return server_->admission().places_in_use() == 1; }));
  ASSERT_TRUE(OnlyLeft(0));
  EXPECT_THAT(call.Finish(), StatusIs(absl::StatusCode::kDeadlineExceeded,
                                      HasSubstr("expected a chunk or the upload's end")));
}

TEST_F(VolumesTest, UploadTakesAPlaceUntilItIsKept) {
  StartServer("limits { max_cases: 1 }");
  UploadCall uploading(volumes());
  uploading.Send(VolumeHeader());
  ASSERT_TRUE(WaitFor([&] { return server_->admission().places_in_use() == 1; }));
  EXPECT_THAT(Segment().status, StatusIs(kExhausted, HasSubstr("all 1 places for cases")));
  uploading.SendVoxels(ImageBytes());
  NNSEG_EXPECT_OK(uploading.Finish());
  NNSEG_EXPECT_OK(Segment().status);
}

TEST_F(VolumesTest, DrainRefusesUploadsAndEndsThoseThatLast) {
  StartServer("drain { timeout_seconds: 0.3 }");
  UploadCall uploading(volumes());
  uploading.Send(VolumeHeader());
  ASSERT_TRUE(WaitFor([&] { return server_->admission().places_in_use() == 1; }));
  auto drained = std::async(std::launch::async, [&] { server_->Drain(); });
  EXPECT_TRUE(WaitFor(
      [&] { return StatusOfHeader([](auto&) {}).code() == absl::StatusCode::kUnavailable; }));
  drained.get();
  EXPECT_THAT(uploading.Finish(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(VolumesTest, ServerEndsWithKeptVolumesAndOpenUploads) {
  StartServer();
  UploadVolume();
  UploadCall open(volumes());
  open.Send(VolumeHeader());
  ASSERT_TRUE(WaitFor([&] { return server_->admission().places_in_use() == 1; }));
  server_.reset();
  EXPECT_THAT(open.Finish(), StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace nnseg
