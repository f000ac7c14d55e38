#include "core/inference/tile_scheduler.h"

#include <xmmintrin.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
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
  const auto lane = scheduler.OpenLane(CancellationToken(), Priority::kBatch);
  EXPECT_THAT(lane->Submit(network, buffers.input, buffers.output).get(), IsOk());
  EXPECT_THAT(buffers.output, ElementsAre(0.5F, 1, 1.5F, 2));
  EXPECT_EQ(network.runs(), 1);
}

// Queues passes while the device is held up, then lets them run and tells in which order they did.
class QueuedPasses {
 public:
  QueuedPasses() : blocker_(kSignature), lane_(Open(Priority::kBatch)) {
    blocker_.OnRun([&](int) { gate_.Wait(); });
    Add(*lane_, blocker_);
    gate_.AwaitArrivals(1);
  }

  std::unique_ptr<TileScheduler::Lane> Open(Priority priority, CancellationToken token = {}) {
    return scheduler_.OpenLane(std::move(token), priority);
  }
  // A network that writes `name` down at each of its passes.
  std::unique_ptr<FakePatchNetwork> Named(char name) {
    auto network = std::make_unique<FakePatchNetwork>(kSignature);
    network->OnRun([this, name](int) { order_ += name; });
    return network;
  }
  void Add(TileScheduler::Lane& lane, PatchNetwork& network, int passes = 1) {
    for (int i = 0; i < passes; ++i) {
      Buffers& buffers = buffers_.emplace_back();
      results_.push_back(lane.Submit(network, buffers.input, buffers.output));
    }
  }
  // Names of the passes in the order in which they ran; all must be OK.
  std::string Run() {
    gate_.Open();
    for (auto& result : results_) EXPECT_THAT(result.get(), IsOk());
    results_.clear();
    return order_;
  }
  const Buffers& buffers(int pass) const { return buffers_[pass + 1]; }
  TileScheduler& scheduler() { return scheduler_; }

 private:
  TileScheduler scheduler_;
  Gate gate_;
  std::string order_;  // written on the device thread only
  std::deque<Buffers> buffers_;
  std::vector<std::future<absl::Status>> results_;
  FakePatchNetwork blocker_;
  std::unique_ptr<TileScheduler::Lane> lane_;
};

TEST(TileScheduler, ServesLanesOfOnePriorityInTurn) {
  QueuedPasses queued;
  const auto large = queued.Named('L');
  const auto small = queued.Named('s');
  const auto large_lane = queued.Open(Priority::kBatch);
  const auto small_lane = queued.Open(Priority::kBatch);
  queued.Add(*large_lane, *large, 6);
  queued.Add(*small_lane, *small, 2);
  EXPECT_EQ(queued.Run(), "LsLsLLLL");
}

TEST(TileScheduler, InteractivePassesGoFirstAndBatchPassesGetEveryFifthTurn) {
  QueuedPasses queued;
  const auto batch = queued.Named('b');
  const auto interactive = queued.Named('i');
  const auto batch_lane = queued.Open(Priority::kBatch);
  const auto interactive_lane = queued.Open(Priority::kInteractive);
  queued.Add(*batch_lane, *batch, 4);
  queued.Add(*interactive_lane, *interactive, 10);
  EXPECT_EQ(queued.Run(), "iiiibiiiibiibb");
}

TEST(TileScheduler, AgedTurnsGoRoundTheBatchLanes) {
  QueuedPasses queued;
  const auto one = queued.Named('1');
  const auto two = queued.Named('2');
  const auto interactive = queued.Named('i');
  const auto lane_one = queued.Open(Priority::kBatch);
  const auto lane_two = queued.Open(Priority::kBatch);
  const auto interactive_lane = queued.Open(Priority::kInteractive);
  queued.Add(*lane_one, *one, 2);
  queued.Add(*lane_two, *two, 2);
  queued.Add(*interactive_lane, *interactive, 12);
  EXPECT_EQ(queued.Run(), "iiii1iiii2iiii12");
}

TEST(TileScheduler, TurnsCountOnlyWhileABatchPassWaits) {
  QueuedPasses queued;
  const auto interactive = queued.Named('i');
  const auto interactive_lane = queued.Open(Priority::kInteractive);
  queued.Add(*interactive_lane, *interactive, 7);
  ASSERT_EQ(queued.Run(), "iiiiiii");
  // None of those seven passed anybody over: the next interactive pass still goes first.
  Gate gate;
  FakePatchNetwork blocker(kSignature);
  blocker.OnRun([&](int) { gate.Wait(); });
  const auto batch = queued.Named('b');
  const auto batch_lane = queued.Open(Priority::kBatch);
  queued.Add(*interactive_lane, blocker);
  gate.AwaitArrivals(1);
  queued.Add(*batch_lane, *batch);
  queued.Add(*interactive_lane, *interactive, 5);
  gate.Open();
  EXPECT_EQ(queued.Run(), "iiiiiiiiiiibi");
}

TEST(TileScheduler, GathersPassesOfOneNetworkFromAllLanesIntoABatch) {
  QueuedPasses queued;
  const auto shared = queued.Named('s');
  shared->SetMaxBatch(4);
  const auto other = queued.Named('o');
  other->SetMaxBatch(4);
  const auto lane_one = queued.Open(Priority::kBatch);
  const auto lane_two = queued.Open(Priority::kBatch);
  const auto lane_three = queued.Open(Priority::kInteractive);
  queued.Add(*lane_one, *shared, 5);
  queued.Add(*lane_two, *other, 1);
  queued.Add(*lane_two, *shared, 2);  // behind the other network's pass: not yet to be had
  queued.Add(*lane_three, *shared, 1);
  EXPECT_EQ(queued.Run(), "ssssossss");
  EXPECT_THAT(shared->batches(), ElementsAre(4, 4));
  EXPECT_THAT(other->batches(), ElementsAre(1));
  for (int i = 0; i < 9; ++i) EXPECT_EQ(queued.buffers(i).output[3], 0.5F) << i;
}

TEST(TileScheduler, OneAtATimeWhereTheNetworkTakesNoBatches) {
  QueuedPasses queued;
  const auto network = queued.Named('n');
  const auto lane = queued.Open(Priority::kBatch);
  queued.Add(*lane, *network, 3);
  EXPECT_EQ(queued.Run(), "nnn");
  EXPECT_THAT(network->batches(), ElementsAre(1, 1, 1));
}

TEST(TileScheduler, AStoppedCaseLeavesItsPlaceInTheBatchToOthers) {
  QueuedPasses queued;
  const auto network = queued.Named('n');
  network->SetMaxBatch(2);
  const CancellationToken token;
  const auto stopped = queued.Open(Priority::kBatch, token);
  const auto running = queued.Open(Priority::kBatch);
  Buffers unused;
  std::future<absl::Status> first = stopped->Submit(*network, unused.input, unused.output);
  queued.Add(*running, *network, 2);
  token.Cancel();
  EXPECT_EQ(queued.Run(), "nn");
  EXPECT_THAT(first.get(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(network->batches(), ElementsAre(2));
}

TEST(TileScheduler, ABatchThatDoesNotFitRunsPassByPassAndTheNextIsSmaller) {
  QueuedPasses queued;
  const auto network = queued.Named('n');
  network->SetMaxBatch(4);
  network->SetRoom(3);
  const auto lane = queued.Open(Priority::kBatch);
  queued.Add(*lane, *network, 8);
  EXPECT_EQ(queued.Run(), "nnnnnnnn");
  EXPECT_THAT(network->batches(), ElementsAre(4, 2, 2));
  EXPECT_EQ(network->releases(), 1);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(queued.buffers(i).output[3], 0.5F) << i;
}

TEST(TileScheduler, APassThatDoesNotFitIsTriedOnceMore) {
  TileScheduler scheduler;
  FakePatchNetwork network(kSignature);
  network.SetRoom(0);  // as one pass of a batch it fails, alone it runs
  Buffers buffers;
  const auto lane = scheduler.OpenLane(CancellationToken(), Priority::kBatch);
  EXPECT_THAT(lane->Submit(network, buffers.input, buffers.output).get(), IsOk());
  EXPECT_EQ(network.runs(), 1);

  network.FailFrom(0, absl::ResourceExhaustedError("out of memory"));
  EXPECT_THAT(lane->Submit(network, buffers.input, buffers.output).get(),
              StatusIs(absl::StatusCode::kResourceExhausted, "out of memory"));
  EXPECT_EQ(network.runs(), 2);
}

TEST(TileScheduler, OtherErrorsOfABatchAreThoseOfAllItsPasses) {
  TileScheduler scheduler;
  Gate gate;
  FakePatchNetwork blocker(kSignature);
  blocker.OnRun([&](int) { gate.Wait(); });
  FakePatchNetwork network(kSignature);
  network.SetMaxBatch(2);
  network.FailFrom(0, absl::InternalError("broken"));
  Buffers buffers;
  const auto lane = scheduler.OpenLane(CancellationToken(), Priority::kBatch);
  lane->Submit(blocker, buffers.input, buffers.output);
  gate.AwaitArrivals(1);
  auto first = lane->Submit(network, buffers.input, buffers.output);
  auto second = lane->Submit(network, buffers.input, buffers.output);
  gate.Open();
  EXPECT_THAT(first.get(), StatusIs(absl::StatusCode::kInternal, "broken"));
  EXPECT_THAT(second.get(), StatusIs(absl::StatusCode::kInternal, "broken"));
  EXPECT_EQ(network.runs(), 1);
}

TEST(TileScheduler, EstimatesWhatIsServedBesideANewLane) {
  TileScheduler scheduler;
  FakePatchNetwork network(kSignature);
  network.record().Add(2.0, 1);
  EXPECT_EQ(scheduler.SecondsToFinish(Priority::kBatch, 12), 12);

  Gate gate;
  network.OnRun([&](int) { gate.Wait(); });
  Buffers buffers;
  const auto small = scheduler.OpenLane(CancellationToken(), Priority::kBatch, 3);
  const auto large = scheduler.OpenLane(CancellationToken(), Priority::kBatch, 1000);
  auto running = small->Submit(network, buffers.input, buffers.output);
  auto waiting = large->Submit(network, buffers.input, buffers.output);
  gate.AwaitArrivals(1);
  // Of its equals the small one is done before, the large one gets as much time as the new one.
  EXPECT_EQ(scheduler.SecondsToFinish(Priority::kBatch, 12), 12 + 3 * 2 + 12);
  // Batch lanes get one turn for four of an interactive one.
  EXPECT_EQ(scheduler.SecondsToFinish(Priority::kInteractive, 12), 12 + 3);
  gate.Open();
  EXPECT_THAT(running.get(), IsOk());
  EXPECT_THAT(waiting.get(), IsOk());
}

TEST(PassRecord, MeanFollowsNewPasses) {
  PassRecord record;
  EXPECT_EQ(record.seconds(), 0);
  record.Add(4, 1);
  EXPECT_EQ(record.seconds(), 4);
  record.Add(16, 2);
  EXPECT_EQ(record.seconds(), 5);
}

TEST(TileScheduler, APassOfAStoppedTokenDoesNotRun) {
  TileScheduler scheduler;
  FakePatchNetwork network(kSignature);
  Buffers buffers;
  const CancellationToken cancelled;
  cancelled.Cancel();
  const auto lane = scheduler.OpenLane(cancelled, Priority::kBatch);
  EXPECT_THAT(lane->Submit(network, buffers.input, buffers.output).get(),
              StatusIs(absl::StatusCode::kCancelled));
  const auto late = scheduler.OpenLane(
      CancellationToken(CancellationToken::Clock::now() - std::chrono::hours(1)), Priority::kBatch);
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
  auto lane = scheduler.OpenLane(CancellationToken(), Priority::kBatch);
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
  const auto lane = scheduler.OpenLane(CancellationToken(), Priority::kBatch);
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
  const auto lane = scheduler.OpenLane(CancellationToken(), Priority::kBatch);
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
  const auto lane = scheduler.OpenLane(CancellationToken(), Priority::kBatch);
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
      const auto lane = scheduler.OpenLane(CancellationToken(), Priority::kBatch);
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
