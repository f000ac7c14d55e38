#include "core/pipeline/pipeline_executor.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/support/recording_observer.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/pipeline/tiny_case.h"

namespace nnseg {
namespace {

constexpr Shape3 kShape{{14, 12, 10}};

using Result = absl::StatusOr<SegmentationSummary>;

// A case's end, as a future.
PipelineExecutor::Done Fulfil(std::promise<Result>& promise) {
  return [&promise](Result result) { promise.set_value(std::move(result)); };
}

TEST(PipelineExecutor, GivesTheLabelsOfTheSynchronousPipeline) {
  const auto model = LoadTinyModel();
  RecordingObserver expected(kShape);
  NNSEG_ASSERT_OK(Segment(MakeCase(model, kShape), expected));

  PipelineExecutor executor({});
  constexpr int kCases = 4;
  std::vector<std::unique_ptr<RecordingObserver>> observers;
  std::vector<std::promise<Result>> ends(kCases);
  for (int i = 0; i < kCases; ++i) {
    observers.push_back(std::make_unique<RecordingObserver>(kShape));
    NNSEG_ASSERT_OK(executor.Submit(MakeCase(model, kShape), *observers[i], Fulfil(ends[i])));
  }
  for (int i = 0; i < kCases; ++i) {
    const Result result = ends[i].get_future().get();
    NNSEG_ASSERT_OK(result);
    EXPECT_EQ(CountDifferent<uint16_t>(observers[i]->labels.voxels(), expected.labels.voxels()), 0);
    EXPECT_EQ(result->stage_seconds.count(Stage::kQueued), 1);
    EXPECT_EQ(result->stage_seconds.count(Stage::kPreprocess), 1);
  }
}

TEST(PipelineExecutor, RefusesACaseWhenTheQueueIsFull) {
  Gate gate;
  const auto model = LoadTinyModel({}, [&](FakePatchNetwork& network) {
    network.OnRun([&](int pass) {
      if (pass > 0) gate.Wait();  // pass 0 is the warm-up
    });
  });
  PipelineExecutor executor({.queue_capacity = 1, .prepare_threads = 1, .concurrent_cases = 1});
  std::vector<std::unique_ptr<RecordingObserver>> observers;
  std::vector<std::promise<Result>> ends(16);
  int taken = 0;
  absl::Status refused;
  for (auto& end : ends) {
    observers.push_back(std::make_unique<RecordingObserver>(kShape));
    refused = executor.Submit(MakeCase(model, kShape), *observers.back(), Fulfil(end));
    if (!refused.ok()) break;
    ++taken;
  }
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted));
  gate.Open();
  for (int i = 0; i < taken; ++i) NNSEG_EXPECT_OK(ends[i].get_future().get());
}

TEST(PipelineExecutor, AnInteractiveCaseWaitsForNoBatchCase) {
  Gate gate;
  const auto slow = LoadTinyModel({}, [&](FakePatchNetwork& network) {
    network.OnRun([&](int pass) {
      if (pass > 0) gate.Wait();
    });
  });
  const auto quick = LoadTinyModel();
  PipelineExecutor executor({.queue_capacity = 8, .prepare_threads = 1, .concurrent_cases = 1});
  constexpr int kCases = 4;  // on the device, prepared, being handed over, waiting
  std::vector<std::unique_ptr<RecordingObserver>> observers;
  std::vector<std::promise<Result>> ends(kCases);
  for (int i = 0; i < kCases; ++i) {
    observers.push_back(std::make_unique<RecordingObserver>(kShape));
    NNSEG_ASSERT_OK(executor.Submit(MakeCase(slow, kShape), *observers[i], Fulfil(ends[i])));
  }
  gate.AwaitArrivals(1);
  SegmentationCase interactive = MakeCase(quick, kShape);  // its device is another one
  interactive.options.priority = Priority::kInteractive;
  RecordingObserver observer(kShape);
  std::promise<Result> end;
  NNSEG_ASSERT_OK(executor.Submit(std::move(interactive), observer, Fulfil(end)));
  NNSEG_EXPECT_OK(end.get_future().get());
  EXPECT_EQ(executor.queue_depth(Priority::kInteractive), 0);
  EXPECT_GE(executor.queue_depth(Priority::kBatch), 1);
  gate.Open();
  for (auto& batch : ends) NNSEG_EXPECT_OK(batch.get_future().get());
}

TEST(PipelineExecutor, CancelledCaseInTheQueueEndsWithoutWork) {
  Gate gate;
  const auto model = LoadTinyModel({}, [&](FakePatchNetwork& network) {
    network.OnRun([&](int pass) {
      if (pass > 0) gate.Wait();
    });
  });
  PipelineExecutor executor({.queue_capacity = 8, .prepare_threads = 1, .concurrent_cases = 1});
  RecordingObserver first(kShape);
  RecordingObserver second(kShape);
  std::promise<Result> first_end;
  std::promise<Result> second_end;
  NNSEG_ASSERT_OK(executor.Submit(MakeCase(model, kShape), first, Fulfil(first_end)));
  SegmentationCase cancelled = MakeCase(model, kShape);
  const CancellationToken token = cancelled.token;
  token.Cancel();
  NNSEG_ASSERT_OK(executor.Submit(std::move(cancelled), second, Fulfil(second_end)));
  EXPECT_THAT(second_end.get_future().get(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_TRUE(second.stages.empty());
  gate.Open();
  NNSEG_EXPECT_OK(first_end.get_future().get());
}

TEST(PipelineExecutor, DroppedCasesEndWhileOthersHoldTheDevice) {
  Gate gate;
  const auto model = LoadTinyModel({}, [&](FakePatchNetwork& network) {
    network.OnRun([&](int pass) {
      if (pass > 0) gate.Wait();
    });
  });
  PipelineExecutor executor({.queue_capacity = 8, .prepare_threads = 1, .concurrent_cases = 1});
  constexpr int kCases = 5;  // one on the device, one prepared, one being handed over, two waiting
  std::vector<std::unique_ptr<RecordingObserver>> observers;
  std::vector<std::promise<Result>> ends(kCases);
  std::vector<CancellationToken> tokens;
  for (int i = 0; i < kCases; ++i) {
    observers.push_back(std::make_unique<RecordingObserver>(kShape));
    SegmentationCase segmentation_case = MakeCase(model, kShape);
    tokens.push_back(segmentation_case.token);
    NNSEG_ASSERT_OK(executor.Submit(std::move(segmentation_case), *observers[i], Fulfil(ends[i])));
  }
  gate.AwaitArrivals(1);
  tokens.back().Cancel();
  executor.DropStopped();
  EXPECT_THAT(ends.back().get_future().get(), StatusIs(absl::StatusCode::kCancelled));
  gate.Open();
  for (int i = 0; i + 1 < kCases; ++i) NNSEG_EXPECT_OK(ends[i].get_future().get());
}

TEST(PipelineExecutor, WaitsForSubmittedCasesWhenItEnds) {
  const auto model = LoadTinyModel();
  RecordingObserver observer(kShape);
  std::promise<Result> end;
  {
    PipelineExecutor executor({});
    NNSEG_ASSERT_OK(executor.Submit(MakeCase(model, kShape), observer, Fulfil(end)));
  }
  auto future = end.get_future();
  ASSERT_EQ(future.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  NNSEG_EXPECT_OK(future.get());
}

}  // namespace
}  // namespace nnseg
