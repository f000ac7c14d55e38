#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/server/server_fixture.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

// A server with a device of 100 bytes, none of them taken by networks.
class ServerDeviceMemory : public ServerFixture {
 protected:
  ServerDeviceMemory() { device_memory_ = std::make_shared<DeviceMemory>(100); }

  // Each fold's network claims `bytes` for a window, times the folds of the case.
  std::function<void(FakePatchNetwork&)> ClaimPerFold(int64_t bytes) {
    return [this, bytes](FakePatchNetwork& network) {
      network.ClaimWindows([bytes](const WindowShape& shape) { return shape.folds * bytes; });
      networks_.push_back(&network);
    };
  }
  // Windows that cases asked for so far.
  int windows() const {
    int windows = 0;
    for (const FakePatchNetwork* network : networks_) windows += network->windows();
    return windows;
  }
  static pb::SegmentHeader OneFold() {
    pb::SegmentHeader header = Header();
    header.mutable_options()->add_folds("1");
    return header;
  }
  int64_t in_use() const { return server_->admission().device_bytes_in_use(); }

  std::vector<const FakePatchNetwork*> networks_;
};

TEST_F(ServerDeviceMemory, CasesHoldTheirShareUntilTheyEnd) {
  const auto claim = ClaimPerFold(40);
  const auto hold = HoldPasses();
  StartServer("", [&](FakePatchNetwork& network) {
    claim(network);
    hold(network);
  });
  SegmentCall running(stub());
  running.Send(Header());
  running.SendVoxels(ImageBytes());
  running.CloseSending();
  ASSERT_TRUE(WaitFor([&] { return in_use() == 80; }));
  EXPECT_THAT(Segment(OneFold()).status,
              StatusIs(absl::StatusCode::kResourceExhausted,
                       "the case needs 40 bytes of device memory, 20 of 100 are free: try again "
                       "later"));
  gate_.Open();
  NNSEG_EXPECT_OK(running.Finish().status);
  ASSERT_TRUE(WaitFor([&] { return in_use() == 0; }));
  NNSEG_EXPECT_OK(Segment(OneFold()).status);
  EXPECT_EQ(windows(), 2);
}

TEST_F(ServerDeviceMemory, ACaseThatNeverFitsIsServedWithoutAWindow) {
  StartServer("", ClaimPerFold(60));
  const Answer answer = Segment();
  NNSEG_ASSERT_OK(answer.status);
  EXPECT_EQ(CountDifferent<uint16_t>(answer.labels.voxels(), ExpectedLabels().voxels()), 0);
  EXPECT_EQ(windows(), 0);
  NNSEG_EXPECT_OK(Segment(OneFold()).status);
  EXPECT_EQ(windows(), 1);
}

TEST_F(ServerDeviceMemory, MetricsShowWhatNetworksLeave) {
  StartServer("", ClaimPerFold(10));
  const auto share = DeviceMemory::ShareOf(device_memory_, 30);
  const std::string metrics = HttpGet("/metrics");
  EXPECT_THAT(metrics, HasSubstr("nnseg_admission_device_limit_bytes 70"));
  EXPECT_THAT(metrics, HasSubstr("nnseg_admitted_device_bytes 0"));
}

}  // namespace
}  // namespace nnseg
