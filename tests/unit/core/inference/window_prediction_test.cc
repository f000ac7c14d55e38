#include "core/inference/window_prediction.h"

#include <memory>

#include "core/inference/volume_window.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_patch_network.h"
#include "tests/support/slab_collector.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

const PatchSignature kSignature{1, 2, {{4, 4, 4}}};
const Shape3 kShape{{10, 6, 6}};

// A network on a device that has no room for a window.
class CrowdedNetwork : public FakePatchNetwork {
 public:
  explicit CrowdedNetwork(absl::Status opening)
      : FakePatchNetwork(kSignature), opening_(std::move(opening)) {}

  bool keeps_volumes() const override { return true; }
  absl::StatusOr<std::unique_ptr<VolumeWindow>> OpenWindow(const WindowRequest&) override {
    if (opening_.ok()) return nullptr;
    return opening_;
  }

 private:
  const absl::Status opening_;
};

absl::Status Predict(PatchNetwork& network, SlabCollector& collector) {
  TileScheduler scheduler;
  return PredictVolume(RandomVolume(1, kShape, 1), {&network}, {}, scheduler, CancellationToken(),
                       collector.observer());
}

TEST(PredictInWindow, WhereAWindowHasNoRoomTheHostBringsThePasses) {
  FakePatchNetwork plain(kSignature);
  SlabCollector expected(2, kShape);
  NNSEG_ASSERT_OK(Predict(plain, expected));
  const Volume<Half> logits = expected.TakeLogits();
  for (const absl::Status& opening :
       {absl::ResourceExhaustedError("device memory is used up"), absl::OkStatus()}) {
    CrowdedNetwork network(opening);
    SlabCollector collector(2, kShape);
    NNSEG_ASSERT_OK(Predict(network, collector));
    EXPECT_TRUE(collector.complete());
    EXPECT_EQ(network.runs(), 16);
    EXPECT_EQ(CountDifferent<Half>(collector.TakeLogits().voxels(), logits.voxels()), 0);
  }
}

TEST(PredictInWindow, AnotherErrorOfOpeningEndsThePrediction) {
  CrowdedNetwork network(absl::InternalError("the device is lost"));
  SlabCollector collector(2, kShape);
  EXPECT_THAT(Predict(network, collector),
              StatusIs(absl::StatusCode::kInternal, "the device is lost"));
  EXPECT_EQ(network.runs(), 0);
}

TEST(PredictInWindow, NoWindowIsOpenedForACaseThatHasNone) {
  for (const bool use_window : {true, false}) {
    FakePatchNetwork network(kSignature);
    network.ClaimWindows([](const WindowShape&) { return 1; });
    SlabCollector collector(2, kShape);
    TileScheduler scheduler;
    NNSEG_ASSERT_OK(PredictVolume(RandomVolume(1, kShape, 1), {&network},
                                  {.use_window = use_window}, scheduler, CancellationToken(),
                                  collector.observer()));
    EXPECT_TRUE(collector.complete());
    EXPECT_EQ(network.windows(), use_window ? 1 : 0);
  }
}

// The shape that a network is asked about for a box of `box_shape` voxels.
WindowShape ShapeFor(const Shape3& network_shape, const Shape3& box_shape) {
  WindowShape asked;
  FakePatchNetwork network(kSignature);
  network.ClaimWindows([&](const WindowShape& shape) {
    asked = shape;
    return 7;
  });
  EXPECT_EQ(PredictionDeviceBytes({&network, &network}, network_shape, box_shape, 8, box_shape), 7);
  return asked;
}

TEST(PredictionDeviceBytes, AreThoseOfTheLargestWindowOfABox) {
  const WindowShape whole = ShapeFor({{10, 6, 3}}, {{10, 6, 3}});
  EXPECT_EQ(whole.image, (Shape3{{10, 6, 3}}));
  EXPECT_EQ(whole.window, (Shape3{{10, 6, 4}}));  // padded to the patch
  EXPECT_EQ(whole.folds, 2);
  EXPECT_EQ(whole.mirrors, 8);
  EXPECT_EQ(whole.labels, (Shape3{{10, 6, 3}}));
  const WindowShape box = ShapeFor({{50, 60, 12}}, {{2, 3, 9}});
  EXPECT_EQ(box.image, (Shape3{{50, 60, 12}}));
  EXPECT_EQ(box.window, (Shape3{{2 + 6, 3 + 6, 12}}));
}

TEST(PredictionDeviceBytes, AreNoneWhereNoVolumeIsKept) {
  FakePatchNetwork network(kSignature);
  EXPECT_EQ(PredictionDeviceBytes({&network}, kShape, kShape, 1, kShape), 0);
}

}  // namespace
}  // namespace nnseg
