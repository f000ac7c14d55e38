#include "core/inference/tile_scheduler.h"

#include <xmmintrin.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/float_environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_patch_network.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::ElementsAre;

const PatchSignature kSignature{1, 1, {{1, 1, 4}}};

// Input and output of one pass.
struct Buffers {
  std::vector<float> input = std::vector<float>(4, 1);
  std::vector<float> output = std::vector<float>(4, 0);
};

TEST(TileScheduler, RunsPassesOfALaneInOrder) {
  TileScheduler scheduler;
  FakePatchNetwork network(kSignature);
  Buffers buffers;
  buffers.input = {1, 2, 3, 4};
  const auto lane = scheduler.OpenLane(CancellationToken());
  EXPECT_THAT(lane->Submit(network, buffers.input, buffers.output).get(), IsOk());
  EXPECT_THAT(buffers.output, ElementsAre(0.5F, 1, 1.5F, 2));
  EXPECT_EQ(network.runs(), 1);
}

TEST(TileScheduler, ServesLanesInTurn) {
  TileScheduler scheduler;
  Gate gate;
  std::string order;  // written on the device thread only
  FakePatchNetwork blocker(kSignature);
  blocker.OnRun([&](int) { gate.Wait(); });
  FakePatchNetwork large(kSignature);
  large.OnRun([&](int) { order += 'L'; });
  FakePatchNetwork small(kSignature);
  small.OnRun([&](int) { order += 's'; });

  Buffers blocked;
  std::vector<Buffers> buffers(8);
  const auto large_lane = scheduler.OpenLane(CancellationToken());
  const auto small_lane = scheduler.OpenLane(CancellationToken());
  std::vector<std::future<absl::Status>> passes;
  passes.push_back(large_lane->Submit(blocker, blocked.input, blocked.output));
  gate.AwaitArrivals(1);
  for (int i = 0; i < 6; ++i) {
    passes.push_back(large_lane->Submit(large, buffers[i].input, buffers[i].output));
  }
  for (int i = 6; i < 8; ++i) {
    passes.push_back(small_lane->Submit(small, buffers[i].input, buffers[i].output));
  }
  gate.Open();
  for (auto& pass : passes) EXPECT_THAT(pass.get(), IsOk());
  EXPECT_EQ(order, "sLsLLLLL");
}

TEST(TileScheduler, APassOfAStoppedTokenDoesNotRun) {
  TileScheduler scheduler;
  FakePatchNetwork network(kSignature);
  Buffers buffers;
  const CancellationToken cancelled;
  cancelled.Cancel();
  const auto lane = scheduler.OpenLane(cancelled);
  EXPECT_THAT(lane->Submit(network, buffers.input, buffers.output).get(),
              StatusIs(absl::StatusCode::kCancelled));
  const auto late = scheduler.OpenLane(
      CancellationToken(CancellationToken::Clock::now() - std::chrono::hours(1)));
  EXPECT_THAT(late->Submit(network, buffers.input, buffers.output).get(),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(network.runs(), 0);
}

TEST(TileScheduler, ClosingALaneDropsItsQueueAndWaitsForThePassUnderWay) {
  TileScheduler scheduler;
  Gate gate;
  FakePatchNetwork network(kSignature);
  network.OnRun([&](int) { gate.Wait(); });
  auto buffers = std::make_unique<Buffers>();
  auto lane = scheduler.OpenLane(CancellationToken());
  for (int i = 0; i < 3; ++i) lane->Submit(network, buffers->input, buffers->output);
  gate.AwaitArrivals(1);
  std::future<void> closed = std::async(std::launch::async, [&] {
    lane.reset();
    buffers.reset();  // may go: nothing touches them any more
  });
  EXPECT_EQ(closed.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  gate.Open();
  closed.get();
  EXPECT_EQ(network.runs(), 1);
}

TEST(TileScheduler, AFailedPassLeavesTheNextAlone) {
  TileScheduler scheduler;
  FakePatchNetwork failing(kSignature);
  failing.FailFrom(0, absl::ResourceExhaustedError("out of memory"));
  FakePatchNetwork network(kSignature);
  Buffers buffers;
  const auto lane = scheduler.OpenLane(CancellationToken());
  EXPECT_THAT(lane->Submit(failing, buffers.input, buffers.output).get(),
              StatusIs(absl::StatusCode::kResourceExhausted, "out of memory"));
  EXPECT_THAT(lane->Submit(network, buffers.input, buffers.output).get(), IsOk());
}

TEST(TileScheduler, EverythingRunsOnOneThreadThatOnStartPrepared) {
  std::thread::id started;
  TileScheduler scheduler([&] { started = std::this_thread::get_id(); });
  std::thread::id passed;
  FakePatchNetwork network(kSignature);
  network.OnRun([&](int) { passed = std::this_thread::get_id(); });
  Buffers buffers;
  const auto lane = scheduler.OpenLane(CancellationToken());
  EXPECT_THAT(lane->Submit(network, buffers.input, buffers.output).get(), IsOk());
  EXPECT_THAT(scheduler.RunOnDevice([&] {
    EXPECT_EQ(std::this_thread::get_id(), started);
    EXPECT_EQ(std::this_thread::get_id(), passed);
    return absl::AbortedError("as asked");
  }),
              StatusIs(absl::StatusCode::kAborted, "as asked"));
  EXPECT_NE(started, std::this_thread::get_id());
}

TEST(TileScheduler, AnEnginesFloatingPointModeEndsWithItsPass) {
  TileScheduler scheduler;
  FakePatchNetwork network(kSignature);
  network.FlushSubnormals();
  Buffers buffers;
  const auto lane = scheduler.OpenLane(CancellationToken());
  EXPECT_THAT(lane->Submit(network, buffers.input, buffers.output).get(), IsOk());
  EXPECT_THAT(scheduler.RunOnDevice([] {
    EXPECT_FALSE(FlushesSubnormals());
    return absl::OkStatus();
  }),
              IsOk());
}

TEST(TileScheduler, ServesManyCasesAtOnce) {
  TileScheduler scheduler;
  FakePatchNetwork network(kSignature);
  std::vector<std::future<void>> cases;
  for (int i = 0; i < 8; ++i) {
    cases.push_back(std::async(std::launch::async, [&] {
      Buffers buffers;
      const auto lane = scheduler.OpenLane(CancellationToken());
      for (int pass = 0; pass < 25; ++pass) {
        ASSERT_THAT(lane->Submit(network, buffers.input, buffers.output).get(), IsOk());
        ASSERT_EQ(buffers.output[0], 0.5F);
      }
    }));
  }
  for (auto& running : cases) running.get();
  EXPECT_EQ(network.runs(), 200);
}

}  // namespace
}  // namespace nnseg
