#include "core/inference/volume_predictor.h"

#include <future>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_patch_network.h"
#include "tests/support/slab_collector.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

const PatchSignature kSignature{1, 2, {{4, 4, 4}}};
const Shape3 kShape{{10, 6, 6}};  // 4 x 2 x 2 tiles

absl::Status Predict(PatchNetwork& network, const PredictionOptions& options,
                     const CancellationToken& token, const PredictionObserver& observer) {
  TileScheduler scheduler;
  return PredictVolume(RandomVolume(1, kShape, 1), {&network}, options, scheduler, token, observer);
}

TEST(PredictVolume, CountsTilesMirrorsAndFolds) {
  FakePatchNetwork first(kSignature, 0);
  FakePatchNetwork second(kSignature, 1);
  TileScheduler scheduler;
  SlabCollector collector(2, kShape);
  PredictionOptions options;
  options.mirroring_axes = {0, 2};
  EXPECT_THAT(PredictVolume(RandomVolume(1, kShape, 1), {&first, &second}, options, scheduler,
                            CancellationToken(), collector.observer()),
              IsOk());
  EXPECT_EQ(first.runs(), 16 * 4);
  EXPECT_EQ(second.runs(), 16 * 4);
  ASSERT_EQ(collector.progress().size(), 128U);
  for (std::size_t i = 0; i < 128; ++i) {
    EXPECT_EQ(collector.progress()[i].passes_done, static_cast<int64_t>(i) + 1);
    EXPECT_EQ(collector.progress()[i].passes_total, 128);
  }
}

TEST(PredictVolume, SlabsLeaveBeforeTheVolumeIsDone) {
  FakePatchNetwork network(kSignature);
  SlabCollector collector(2, kShape);
  PredictionObserver observer = collector.observer();
  std::vector<int> runs_at_slab;
  const auto collect = observer.on_slab;
  observer.on_slab = [&](LogitSlab slab) {
    runs_at_slab.push_back(network.runs());
    return collect(std::move(slab));
  };
  EXPECT_THAT(Predict(network, {}, CancellationToken(), observer), IsOk());
  EXPECT_TRUE(collector.complete());
  EXPECT_THAT(collector.begins(), testing::ElementsAre(0, 2, 4, 6));
  // A row of tiles is four passes; two more may be on their way.
  EXPECT_GE(runs_at_slab.front(), 4);
  EXPECT_LE(runs_at_slab.front(), 4 + 2);
}

TEST(PredictVolume, SlicesOfATwoDimensionalModelLeaveOneByOne) {
  FakePatchNetwork network({1, 2, {{1, 4, 4}}, 2});
  SlabCollector collector(2, kShape);
  PredictionOptions options;
  options.mirroring_axes = {1, 2};
  EXPECT_THAT(Predict(network, options, CancellationToken(), collector.observer()), IsOk());
  EXPECT_TRUE(collector.complete());
  EXPECT_THAT(collector.begins(), testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_EQ(network.runs(), 10 * 2 * 2 * 4);  // slices, tiles, mirrors
}

TEST(PredictVolume, ConcurrentCasesGiveTheBitsOfOneAlone) {
  FakePatchNetwork network(kSignature);
  TileScheduler scheduler;
  const auto image = RandomVolume(1, kShape, 1);
  const auto predict = [&] {
    SlabCollector collector(2, kShape);
    EXPECT_THAT(
        PredictVolume(image, {&network}, {}, scheduler, CancellationToken(), collector.observer()),
        IsOk());
    return collector.TakeLogits();
  };
  const Volume<Half> alone = predict();
  std::vector<std::future<Volume<Half>>> together;
  for (int i = 0; i < 4; ++i) together.push_back(std::async(std::launch::async, predict));
  for (auto& running : together) {
    EXPECT_EQ(CountDifferent<Half>(running.get().voxels(), alone.voxels()), 0);
  }
}

TEST(PredictVolume, StopsWithinOnePassOfCancellation) {
  FakePatchNetwork network(kSignature);
  SlabCollector collector(2, kShape);
  const CancellationToken token;
  network.OnRun([&](int run) {
    if (run == 5) token.Cancel();
  });
  EXPECT_THAT(Predict(network, {}, token, collector.observer()),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(network.runs(), 6);
}

TEST(PredictVolume, StopsAtTheDeadline) {
  FakePatchNetwork network(kSignature);
  SlabCollector collector(2, kShape);
  const CancellationToken token(CancellationToken::Clock::now() - std::chrono::seconds(1));
  EXPECT_THAT(Predict(network, {}, token, collector.observer()),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(network.runs(), 0);
}

TEST(PredictVolume, ReturnsTheEnginesError) {
  FakePatchNetwork network(kSignature);
  network.FailFrom(3, absl::ResourceExhaustedError("device memory is used up"));
  SlabCollector collector(2, kShape);
  EXPECT_THAT(Predict(network, {}, CancellationToken(), collector.observer()),
              StatusIs(absl::StatusCode::kResourceExhausted, "device memory is used up"));
  EXPECT_LE(network.runs(), 3 + 2 * 2);  // the failed pass and the one behind it, each tried twice
}

TEST(PredictVolume, ReturnsTheSinksErrorAndStops) {
  FakePatchNetwork network(kSignature);
  PredictionObserver observer;
  observer.on_slab = [](const LogitSlab&) { return absl::UnavailableError("receiver is gone"); };
  EXPECT_THAT(Predict(network, {}, CancellationToken(), observer),
              StatusIs(absl::StatusCode::kUnavailable, "receiver is gone"));
  EXPECT_LE(network.runs(), 4 + 2);
}

TEST(PredictVolume, AnInfiniteLogitIsAnError) {
  FakePatchNetwork network(kSignature);
  network.ForceLogit(1, std::numeric_limits<float>::infinity());
  SlabCollector collector(2, kShape);
  EXPECT_THAT(Predict(network, {}, CancellationToken(), collector.observer()),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("infinite")));
}

TEST(PredictVolume, RefusesOptionsOutOfRange) {
  FakePatchNetwork network(kSignature);
  SlabCollector collector(2, kShape);
  PredictionOptions step;
  step.tile_step_size = 0;
  EXPECT_THAT(Predict(network, step, CancellationToken(), collector.observer()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tile step size is 0")));
  PredictionOptions axes;
  axes.mirroring_axes = {0, 3};
  EXPECT_THAT(Predict(network, axes, CancellationToken(), collector.observer()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("[0, 3]")));
  EXPECT_EQ(network.runs(), 0);
}

TEST(PredictVolume, RefusesImagesAndFoldsThatDoNotFit) {
  TileScheduler scheduler;
  SlabCollector collector(2, kShape);
  FakePatchNetwork network(kSignature);
  FakePatchNetwork other({1, 3, {{4, 4, 4}}});
  const auto predict = [&](const Volume<float>& image, const std::vector<PatchNetwork*>& folds) {
    return PredictVolume(image, folds, {}, scheduler, CancellationToken(), collector.observer());
  };
  EXPECT_THAT(predict(RandomVolume(2, kShape, 1), {&network}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("image has 2 channel(s), the network expects 1")));
  EXPECT_THAT(predict(RandomVolume(1, kShape, 1), {&network, &other}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("folds differ")));
  EXPECT_THAT(predict(RandomVolume(1, kShape, 1), {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no fold")));
}

TEST(PredictionBytes, OfATwoDimensionalModelAreThoseOfOneSlice) {
  const PatchSignature signature{3, 4, {{1, 128, 160}}, 2};
  const int64_t bytes = PredictionBytes(signature, {{1, 200, 240}}, 1);
  EXPECT_EQ(PredictionBytes(signature, {{300, 200, 240}}, 1), bytes);
  // Sums, weights and a finished slice; two passes' buffers and the sum over mirrors; the Gaussian.
  EXPECT_EQ(bytes, (4 + 1 + 4) * 200 * 240 * 2 + (2 * (3 + 4) + 4) * 128 * 160 * 4 + 128 * 160 * 2);
}

TEST(PredictionBytes, GrowsWithThePlaneAndTheFoldsButNotWithDepth) {
  const PatchSignature signature{1, 117, {{64, 64, 64}}};
  const int64_t bytes = PredictionBytes(signature, {{88, 108, 90}}, 1);
  EXPECT_EQ(bytes, PredictionBytes(signature, {{8800, 108, 90}}, 1));
  // The sums alone.
  EXPECT_GT(bytes, 117 * 64 * 108 * 90 * 2);
  EXPECT_EQ(PredictionBytes(signature, {{88, 108, 90}}, 3) - bytes, 2 * 117 * 64 * 108 * 90 * 2);
}

TEST(PredictionBytes, OfASmallBoxDoNotGrowWithThePlane) {
  const PatchSignature signature{1, 5, {{32, 32, 32}}};
  const int64_t bytes = PredictionBytes(signature, {{300, 200, 200}}, 1, Shape3{{8, 8, 8}});
  EXPECT_EQ(bytes, PredictionBytes(signature, {{300, 2000, 2000}}, 1, Shape3{{8, 8, 8}}));
  EXPECT_EQ(bytes, PredictionBytes(signature, {{300, 70, 70}}, 1));  // 8 + 2 * 31
}

}  // namespace
}  // namespace nnseg
