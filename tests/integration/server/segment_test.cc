#include <zlib.h>

#include <limits>
#include <thread>

#include "tests/integration/server/server_fixture.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

bool IsAccepted(const pb::SegmentResponse& event) { return event.has_accepted(); }

class SegmentTest : public ServerFixture {
 protected:
  bool AllTicketsBack() {
    return WaitFor([&] {
      return server_->admission().places_in_use() == 0 && server_->admission().bytes_in_use() == 0;
    });
  }
};

TEST_F(SegmentTest, LabelsEqualTheInProcessPipeline) {
  StartServer();
  const Answer answer = Segment();
  NNSEG_ASSERT_OK(answer.status);
  const auto expected = ExpectedLabels();
  EXPECT_EQ(CountDifferent<uint16_t>(answer.labels.voxels(), expected.voxels()), 0);
}

TEST_F(SegmentTest, EventsFollowTheGrammar) {
  StartServer();
  pb::SegmentHeader header = Header();
  header.set_request_id("my-id");
  const Answer answer = Segment(header);
  NNSEG_ASSERT_OK(answer.status);
  ASSERT_TRUE(answer.events.front().has_accepted());
  EXPECT_EQ(answer.events.front().accepted().request_id(), "my-id");
  EXPECT_EQ(answer.events.front().accepted().model().version(), 1);
  EXPECT_EQ(answer.events.front().accepted().max_chunk_bytes(), 4 << 20);
  std::string grammar;
  for (const auto& event : answer.events) {
    grammar += event.has_accepted()        ? 'a'
               : event.has_progress()      ? 'p'
               : event.has_result_header() ? 'r'
               : event.has_label_chunk()   ? 'c'
                                           : 's';
  }
  EXPECT_THAT(grammar, testing::MatchesRegex("ap+rc?[pc]*s")) << grammar;
}

TEST_F(SegmentTest, ResultEchoesTheGeometryExactly) {
  StartServer();
  const Answer answer = Segment();
  NNSEG_ASSERT_OK(answer.status);
  for (const auto& event : answer.events) {
    if (!event.has_result_header()) continue;
    EXPECT_THAT(event.result_header().geometry().origin_mm(), testing::ElementsAre(1.5, -20, 300));
    EXPECT_THAT(event.result_header().geometry().size(), testing::ElementsAre(10, 12, 14));
    EXPECT_EQ(event.result_header().label_type(), pb::LABEL_TYPE_UINT8);
  }
}

TEST_F(SegmentTest, SummaryTellsWhatWasDone) {
  StartServer();
  const Answer answer = Segment();
  NNSEG_ASSERT_OK(answer.status);
  const pb::Summary& summary = answer.summary();
  EXPECT_EQ(summary.model().name(), "tiny");
  EXPECT_EQ(summary.model_digest().size(), 64);
  EXPECT_EQ(summary.precision(), "fp32");
  EXPECT_THAT(summary.folds(), testing::ElementsAre("0", "1"));
  EXPECT_THAT(summary.mirroring_axes(), testing::ElementsAre(0, 1, 2));
  EXPECT_EQ(summary.passes(), summary.tiles() * 8 * 2);
  ASSERT_EQ(summary.timings_size(), 5);
  EXPECT_EQ(summary.timings(0).stage(), pb::STAGE_RECEIVE);
  EXPECT_EQ(summary.timings(4).stage(), pb::STAGE_RESTORE);

  std::map<int, int64_t> counts;
  std::string plain;
  for (const uint16_t label : answer.labels.voxels()) {
    ++counts[label];
    plain += static_cast<char>(label);
  }
  ASSERT_EQ(summary.label_volumes_size(), 3);
  for (int label = 0; label < 3; ++label) {
    EXPECT_EQ(summary.label_volumes(label).value(), label);
    EXPECT_EQ(summary.label_volumes(label).voxels(), counts[label]);
    EXPECT_DOUBLE_EQ(summary.label_volumes(label).volume_ml(),
                     static_cast<double>(counts[label]) / 1000);
  }
  EXPECT_EQ(summary.label_volumes(0).name(), "background");
  EXPECT_EQ(summary.label_map_crc32(), crc32(0, reinterpret_cast<const Bytef*>(plain.data()),
                                             static_cast<uInt>(plain.size())));
}

TEST_F(SegmentTest, PlainLabelsEqualPackedOnes) {
  StartServer();
  pb::SegmentHeader header = Header();
  header.mutable_options()->set_label_encoding(pb::LABEL_ENCODING_RAW);
  const Answer plain = Segment(header);
  const Answer packed = Segment();
  NNSEG_ASSERT_OK(plain.status);
  NNSEG_ASSERT_OK(packed.status);
  EXPECT_EQ(CountDifferent<uint16_t>(plain.labels.voxels(), packed.labels.voxels()), 0);
  EXPECT_EQ(plain.summary().label_map_crc32(), packed.summary().label_map_crc32());
}

TEST_F(SegmentTest, ClientMayWaitForAcceptedBeforeItSendsVoxels) {
  StartServer();
  SegmentCall call(stub());
  call.Send(Header());
  ASSERT_TRUE(call.ReadUntil(IsAccepted));
  call.SendVoxels(ImageBytes(), 7);
  call.CloseSending();
  NNSEG_EXPECT_OK(call.Finish().status);
}

TEST_F(SegmentTest, EightClientsAtOnceGetTheSameLabels) {
  StartServer("limits { max_cases: 8 }");
  const auto expected = ExpectedLabels();
  std::vector<std::thread> clients;
  std::vector<Answer> answers(8);
  for (Answer& answer : answers) {
    clients.emplace_back([&] { answer = Segment(); });
  }
  for (auto& client : clients) client.join();
  for (const Answer& answer : answers) {
    NNSEG_ASSERT_OK(answer.status);
    EXPECT_EQ(CountDifferent<uint16_t>(answer.labels.voxels(), expected.voxels()), 0);
  }
  EXPECT_TRUE(AllTicketsBack());
}

TEST_F(SegmentTest, CancellationDuringInferenceStopsWithinOnePass) {
  std::atomic<int> passes{0};
  StartServer("", [&](FakePatchNetwork& network) {
    network.OnRun([&](int pass) {
      if (pass == 0) return;
      ++passes;
      gate_.Wait();
    });
  });
  SegmentCall call(stub());
  call.Send(Header());
  call.SendVoxels(ImageBytes());
  call.CloseSending();
  gate_.AwaitArrivals(1);
  call.Cancel();
  EXPECT_THAT(call.Finish().status, StatusIs(absl::StatusCode::kCancelled));
  ASSERT_TRUE(WaitFor(
      [&] { return HttpGet("/metrics").find("nnseg_open_streams 1") != std::string::npos; }));
  // The server learns of it while the pass is held; give the message a moment.
  std::this_thread::sleep_for(milliseconds(200));
  gate_.Open();
  EXPECT_TRUE(AllTicketsBack());
  EXPECT_EQ(passes, 1);
  EXPECT_TRUE(WaitFor([&] {
    return HttpGet("/metrics").find(R"(nnseg_cancelled_total{stage="infer"} 1)") !=
           std::string::npos;
  }));
}

TEST_F(SegmentTest, CancellationDuringTheUploadGivesTheTicketBack) {
  StartServer();
  SegmentCall call(stub());
  call.Send(Header());
  ASSERT_TRUE(call.ReadUntil(IsAccepted));
  EXPECT_EQ(server_->admission().places_in_use(), 1);
  call.Send(0, "the first bytes");
  call.Cancel();
  EXPECT_THAT(call.Finish().status, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_TRUE(AllTicketsBack());
}

TEST_F(SegmentTest, ClientsDeadlineEndsTheCase) {
  StartServer("", HoldPasses());
  SegmentCall call(stub(), milliseconds(500));
  call.Send(Header());
  call.SendVoxels(ImageBytes());
  call.CloseSending();
  EXPECT_THAT(call.Finish().status, StatusIs(absl::StatusCode::kDeadlineExceeded));
  std::this_thread::sleep_for(milliseconds(100));
  gate_.Open();
  EXPECT_TRUE(AllTicketsBack());
  EXPECT_TRUE(WaitFor([&] {
    return HttpGet("/metrics").find(R"(code="DEADLINE_EXCEEDED",model="tiny")") !=
           std::string::npos;
  }));
}

TEST_F(SegmentTest, ServersLimitEndsACaseWithoutADeadline) {
  StartServer("limits { max_request_seconds: 1 }", HoldPasses());
  SegmentCall call(stub());
  call.Send(Header());
  call.SendVoxels(ImageBytes());
  call.CloseSending();
  std::thread opener([&] {
    std::this_thread::sleep_for(milliseconds(1200));
    gate_.Open();
  });
  EXPECT_THAT(call.Finish().status, StatusIs(absl::StatusCode::kDeadlineExceeded));
  opener.join();
}

TEST_F(SegmentTest, FullServerRefusesAndTakesTheNextLater) {
  StartServer("limits { max_cases: 1 }", HoldPasses());
  SegmentCall first(stub());
  first.Send(Header());
  ASSERT_TRUE(first.ReadUntil(IsAccepted));
  EXPECT_THAT(Segment().status,
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("all 1 places")));
  first.SendVoxels(ImageBytes());
  first.CloseSending();
  gate_.Open();
  NNSEG_EXPECT_OK(first.Finish().status);
  NNSEG_EXPECT_OK(Segment().status);
  EXPECT_THAT(HttpGet("/metrics"), HasSubstr(R"(nnseg_rejected_total{reason="queue_full"} 1)"));
}

TEST_F(SegmentTest, StalledUploadIsEnded) {
  StartServer("limits { stall_seconds: 0.3 }");
  SegmentCall silent(stub());
  EXPECT_THAT(silent.Finish().status,
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("expected a header")));
  SegmentCall stalled(stub());
  stalled.Send(Header());
  stalled.Send(0, "the first bytes");
  EXPECT_THAT(stalled.Finish().status,
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("expected a chunk")));
  EXPECT_TRUE(AllTicketsBack());
  EXPECT_TRUE(WaitFor([&] {
    return HttpGet("/metrics").find(R"(nnseg_rejected_total{reason="stalled"} 2)") !=
           std::string::npos;
  }));
}

TEST_F(SegmentTest, EngineErrorsReachTheClientAndTheServerGoesOn) {
  const absl::Status errors[] = {absl::InternalError("engine: out of luck"),
                                 absl::ResourceExhaustedError("engine: out of memory")};
  std::atomic<const absl::Status*> error{nullptr};
  StartServer("", [&](FakePatchNetwork& network) {
    network.OnRun([&](int pass) {
      constexpr int kNever = std::numeric_limits<int>::max();
      const absl::Status* const now = error;
      network.FailFrom(now != nullptr ? pass : kNever, now != nullptr ? *now : absl::OkStatus());
    });
  });
  for (const absl::Status& expected : errors) {
    error = &expected;
    EXPECT_THAT(Segment().status,
                StatusIs(expected.code(), HasSubstr(std::string(expected.message()))));
    EXPECT_TRUE(AllTicketsBack());
    error = nullptr;
    NNSEG_EXPECT_OK(Segment().status);
  }
}

TEST_F(SegmentTest, DisconnectedClientFreesItsPlace) {
  StartServer();
  for (int i = 0; i < 20; ++i) {
    const auto channel_stub = pb::SegmentationService::NewStub(NewChannel());
    SegmentCall call(*channel_stub);
    call.Send(Header());
    const std::vector<std::byte> image = ImageBytes();
    call.SendVoxels(std::span(image).first(static_cast<std::size_t>(i) * 100));
    if (i % 2 == 0) call.ReadUntil(IsAccepted);
    call.Cancel();
  }
  EXPECT_TRUE(AllTicketsBack());
  NNSEG_EXPECT_OK(Segment().status);
}

}  // namespace
}  // namespace nnseg
