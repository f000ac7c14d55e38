#include "core/pipeline/deadline_reduction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "core/base/status_macros.h"
#include "core/pipeline/pipeline.h"
#include "tests/support/recording_observer.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/pipeline/tiny_case.h"

namespace nnseg {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// 12 tiles, 8 mirrors and 2 folds: 192 passes.
constexpr Shape3 kShape{{14, 12, 10}};

// Networks that say of themselves that a pass takes 3 s: 634 s with all, 79 s without mirrors, 40 s
// with one fold; a tenth of it is for what surrounds the network.
std::shared_ptr<const LoadedModel> SlowModel(const TinyBundleOptions& options = {}) {
  return LoadTinyModel(options, [](FakePatchNetwork& network) {
    network.record().Add(4, 1);  // the warm-up, which takes no time, counts a quarter
  });
}

absl::StatusOr<SegmentationSummary> SegmentWithin(std::chrono::seconds seconds, bool allowed,
                                                  SegmentationOptions options = {}) {
  RecordingObserver observer(kShape);
  SegmentationCase segmentation_case = MakeCase(SlowModel(), kShape);
  segmentation_case.token = CancellationToken(CancellationToken::Clock::now() + seconds);
  segmentation_case.options = std::move(options);
  segmentation_case.options.reduce_to_deadline = allowed;
  auto summary = Segment(std::move(segmentation_case), observer);
  if (summary.ok()) {
    EXPECT_EQ(observer.passes_done, summary->passes);
  }
  return summary;
}

TEST(DeadlineReduction, LeavesNothingOutWithTimeEnough) {
  const auto summary = SegmentWithin(std::chrono::seconds(1000), true);
  NNSEG_ASSERT_OK(summary);
  EXPECT_THAT(summary->reductions, IsEmpty());
  EXPECT_EQ(summary->passes, 192);
}

TEST(DeadlineReduction, LeavesNothingOutUnlessItMay) {
  const auto summary = SegmentWithin(std::chrono::seconds(10), false);
  NNSEG_ASSERT_OK(summary);
  EXPECT_THAT(summary->reductions, IsEmpty());
  EXPECT_EQ(summary->passes, 192);
}

TEST(DeadlineReduction, MirrorsGoFirst) {
  const auto summary = SegmentWithin(std::chrono::seconds(300), true);
  NNSEG_ASSERT_OK(summary);
  EXPECT_THAT(summary->reductions, ElementsAre(Reduction::kMirroring));
  EXPECT_THAT(summary->mirroring_axes, IsEmpty());
  EXPECT_THAT(summary->folds, ElementsAre("0", "1"));
  EXPECT_EQ(summary->passes, 24);
}

TEST(DeadlineReduction, ThenAllFoldsButTheFirst) {
  for (const int seconds : {60, 30}) {  // in 30 s even that is too slow, but nothing else can go
    const auto summary = SegmentWithin(std::chrono::seconds(seconds), true);
    NNSEG_ASSERT_OK(summary);
    EXPECT_THAT(summary->reductions, ElementsAre(Reduction::kMirroring, Reduction::kFolds));
    EXPECT_THAT(summary->folds, ElementsAre("0"));
    EXPECT_EQ(summary->passes, 12);
  }
}

TEST(DeadlineReduction, TellsOnlyWhatTheRequestHadNotLeftOut) {
  const auto one_fold = SegmentWithin(std::chrono::seconds(30), true, {.folds = {"1"}});
  NNSEG_ASSERT_OK(one_fold);
  EXPECT_THAT(one_fold->reductions, ElementsAre(Reduction::kMirroring));
  EXPECT_THAT(one_fold->folds, ElementsAre("1"));
  const auto unmirrored = SegmentWithin(std::chrono::seconds(60), true, {.use_mirroring = false});
  NNSEG_ASSERT_OK(unmirrored);
  EXPECT_THAT(unmirrored->reductions, ElementsAre(Reduction::kFolds));
}

class ReduceToDeadlineOfRuns : public testing::Test {
 protected:
  absl::StatusOr<std::vector<Reduction>> Reduce(const std::vector<CaseRun>& runs, int seconds) {
    return ReduceToDeadline(
        runs, CancellationToken::Clock::now() + std::chrono::seconds(seconds),
        [](const CaseRun& run, const SegmentationOptions& options) -> absl::StatusOr<int64_t> {
          NNSEG_ASSIGN_OR_RETURN(
              const auto selection,
              run.model->Select(options.engine, options.precision, options.folds));
          return static_cast<int64_t>(selection.folds.size()) * (options.use_mirroring ? 2 : 1);
        },
        options_);
  }

  const std::shared_ptr<const LoadedModel> first_ = SlowModel({.folds = {"0", "1", "2"}});
  const std::shared_ptr<const LoadedModel> second_ = SlowModel({.folds = {"1", "2"}});
  const std::shared_ptr<const LoadedModel> other_ = SlowModel({.folds = {"all"}});
  SegmentationOptions options_{.reduce_to_deadline = true};
};

TEST_F(ReduceToDeadlineOfRuns, CountsAllRuns) {
  // (3 + 2) folds x 2 mirrors x 3 s x 1.1 = 33 s.
  const auto none = Reduce({{first_.get()}, {second_.get()}}, 40);
  NNSEG_ASSERT_OK(none);
  EXPECT_THAT(*none, IsEmpty());
  const auto some = Reduce({{first_.get()}, {second_.get()}}, 25);
  NNSEG_ASSERT_OK(some);
  EXPECT_THAT(*some, ElementsAre(Reduction::kMirroring));
}

TEST_F(ReduceToDeadlineOfRuns, KeepsTheFirstFoldThatAllRunsHave) {
  const auto reductions = Reduce({{first_.get()}, {second_.get()}}, 1);
  NNSEG_ASSERT_OK(reductions);
  EXPECT_THAT(*reductions, ElementsAre(Reduction::kMirroring, Reduction::kFolds));
  EXPECT_THAT(options_.folds, ElementsAre("1"));
}

TEST_F(ReduceToDeadlineOfRuns, KeepsAllFoldsWhereRunsShareNone) {
  const auto reductions = Reduce({{first_.get()}, {other_.get()}}, 1);
  NNSEG_ASSERT_OK(reductions);
  EXPECT_THAT(*reductions, ElementsAre(Reduction::kMirroring));
  EXPECT_THAT(options_.folds, IsEmpty());
}

TEST_F(ReduceToDeadlineOfRuns, CountsWhatTheDeviceHasToDoBesides) {
  const std::vector<CaseRun> runs{{first_.get()}};
  // Alone 3 folds x 2 mirrors x 3 s x 1.1 = 19.8 s.
  const auto alone = Reduce(runs, 30);
  NNSEG_ASSERT_OK(alone);
  EXPECT_THAT(*alone, IsEmpty());
  const auto selection = first_->Select("", "", {"0"});
  NNSEG_ASSERT_OK(selection);
  const auto lane = selection->scheduler->OpenLane(CancellationToken(), Priority::kBatch, 100);
  PatchNetwork& network = *selection->networks.front();
  std::vector<float> input(network.signature().input_size());
  std::vector<float> output(network.signature().output_size());
  NNSEG_ASSERT_OK(lane->Submit(network, input, output).get());
  const auto beside = Reduce(runs, 30);
  NNSEG_ASSERT_OK(beside);
  EXPECT_THAT(*beside, ElementsAre(Reduction::kMirroring));
}

}  // namespace
}  // namespace nnseg
