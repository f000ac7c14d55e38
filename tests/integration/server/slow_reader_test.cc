// How much of an answer the server holds for a slow client, and for how long.
#include <thread>

#include "proto/wire/geometry_codec.h"
#include "tests/integration/server/server_fixture.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using std::chrono::milliseconds;

/// A client that takes nothing while the server has much to send.
class SlowReaderTest : public ServerFixture {
 protected:
  static constexpr Shape3 kLarge{{96, 96, 96}};

  SlowReaderTest() {
    WriteTinyBundle(
        folder_.path(),
        {.name = "large", .folds = {"0"}, .mirroring_axes = {}, .patch_size = {{32, 32, 32}}});
  }

  // Sends a case whose probabilities are far more than transport and outbox hold, and reads no
  // further than `accepted`.
  void Begin(SegmentCall& call) {
    pb::SegmentHeader header = Header();
    header.mutable_model()->set_name("large");
    *header.mutable_geometry() = ToProto(Geometry{.size = {kLarge[2], kLarge[1], kLarge[0]}});
    header.mutable_options()->set_tile_step_size(1);
    header.mutable_options()->set_probabilities(pb::PROBABILITY_TYPE_FLOAT32);
    header.mutable_options()->set_label_encoding(pb::LABEL_ENCODING_RAW);
    call.Send(header);
    const Volume<float> image = RandomVolume(1, kLarge, 3);
    call.SendVoxels(std::as_bytes(image.voxels()), 1 << 20);
    call.CloseSending();
    ASSERT_TRUE(call.ReadUntil([](const auto& event) { return event.has_accepted(); }));
  }
};

TEST_F(SlowReaderTest, HoldsTheCaseBackAndLosesNothing) {
  StartServer("limits { max_unsent_bytes: 1048576 }");
  SegmentCall call(stub());
  Begin(call);
  std::this_thread::sleep_for(milliseconds(1500));
  EXPECT_EQ(server_->admission().places_in_use(), 1);  // still at it, held back
  const Answer answer = call.Finish();
  NNSEG_ASSERT_OK(answer.status);
  int64_t bytes = 0;
  for (const auto& event : answer.events) {
    bytes += static_cast<int64_t>(event.probability_chunk().data().size());
  }
  EXPECT_EQ(bytes, 3 * kLarge.voxels() * 4);
}

TEST_F(SlowReaderTest, IsEndedWhenItTakesNothingForTooLong) {
  StartServer("limits { max_unsent_bytes: 1048576 stall_seconds: 0.5 }");
  SegmentCall call(stub());
  Begin(call);
  EXPECT_TRUE(WaitFor([&] { return server_->admission().places_in_use() == 0; }));
  EXPECT_TRUE(WaitFor([&] {
    return HttpGet("/metrics").find(R"(nnseg_rejected_total{reason="stalled"} 1)") !=
           std::string::npos;
  }));
  call.Cancel();
  EXPECT_FALSE(call.Finish().status.ok());
  pb::SegmentHeader header = Header();
  NNSEG_EXPECT_OK(Segment(header).status);  // the service goes on
}

}  // namespace
}  // namespace nnseg
