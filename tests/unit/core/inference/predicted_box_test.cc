#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "core/inference/volume_predictor.h"
#include "core/tiling/patch_grid.h"
#include "tests/support/fake_patch_network.h"
#include "tests/support/slab_collector.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

constexpr int64_t kChannels = 3;

// A case drawn at random: volumes smaller than the patch, 2D patches, mirrors and folds among them.
struct RandomCase {
  explicit RandomCase(uint32_t seed) : random(seed) {
    const int dimensions = Draw(0, 3) == 0 ? 2 : 3;
    Shape3 patch{{Draw(3, 7), Draw(3, 7), Draw(3, 7)}};
    if (dimensions == 2) patch[0] = 1;
    signature = {1, kChannels, patch, dimensions};
    shape = {{Draw(2, 20), Draw(2, 20), Draw(2, 20)}};
    constexpr double kSteps[] = {0.5, 0.5, 0.3, 1.0};
    options.tile_step_size = kSteps[Draw(0, 3)];
    options.use_gaussian = Draw(0, 4) > 0;
    if (Draw(0, 1) == 1) options.mirroring_axes = {1, 2};
    folds = Draw(1, 2);
    for (int axis = 0; axis < 3; ++axis) {
      box.begin[axis] = Draw(0, shape[axis] - 1);
      box.end[axis] = Draw(box.begin[axis] + 1, shape[axis]);
    }
  }
  int64_t Draw(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random);
  }

  std::mt19937 random;
  PatchSignature signature;
  Shape3 shape{};
  PredictionOptions options;
  int64_t folds = 1;
  Box3 box;
};

struct Predicted {
  std::vector<LogitSlab> slabs;
  PredictionProgress progress;
};

Predicted Predict(const RandomCase& random, const std::optional<Box3>& box) {
  std::vector<std::unique_ptr<FakePatchNetwork>> networks;
  std::vector<PatchNetwork*> folds;
  for (int fold = 0; fold < random.folds; ++fold) {
    networks.push_back(std::make_unique<FakePatchNetwork>(random.signature, fold));
    folds.push_back(networks.back().get());
  }
  PredictionOptions options = random.options;
  options.box = box;
  TileScheduler scheduler;
  Predicted result;
  EXPECT_THAT(PredictVolume(RandomVolume(1, random.shape, 1), folds, options, scheduler,
                            CancellationToken(),
                            {.on_progress = [&](const auto& p) { result.progress = p; },
                             .on_slab =
                                 [&](LogitSlab slab) {
                                   result.slabs.push_back(std::move(slab));
                                   return absl::OkStatus();
                                 }}),
              IsOk());
  EXPECT_EQ(result.progress.passes_done, result.progress.passes_total);
  EXPECT_EQ(CountPasses(random.signature, random.shape, options, random.folds).value(),
            result.progress.passes_done);
  return result;
}

// Passes over the tiles that share a voxel with the box, one tile at a time.
int64_t PassesThatTouch(const RandomCase& random) {
  const auto grid =
      PatchGrid::Create(random.shape, random.signature.patch_size,
                        random.signature.patch_dimensions, random.options.tile_step_size)
          .value();
  int64_t tiles = 0;
  for (int64_t i = 0; i < grid.tiles(); ++i) {
    const Index3 begin = grid.tile(i) - grid.padding_before();
    const Shape3& patch = grid.patch_size();
    const Box3 tile{begin, begin + Index3{{patch[0], patch[1], patch[2]}}};
    if (!Intersection(tile, random.box).empty()) ++tiles;
  }
  return tiles * random.folds * (random.options.mirroring_axes.empty() ? 1 : 4);
}

class PredictedBox : public testing::TestWithParam<uint32_t> {};

TEST_P(PredictedBox, HasTheBitsOfTheWholeRunFromTheTilesThatTouchIt) {
  const RandomCase random(GetParam());
  SlabCollector whole(kChannels, random.shape);
  for (LogitSlab& slab : Predict(random, std::nullopt).slabs) {
    EXPECT_THAT(whole.observer().on_slab(std::move(slab)), IsOk());
  }
  ASSERT_TRUE(whole.complete());
  const Volume<Half> expected = whole.TakeLogits();

  const Predicted part = Predict(random, random.box);
  EXPECT_EQ(part.progress.passes_done, PassesThatTouch(random));
  Index3 next = random.box.begin;
  const Shape3 extent = random.box.shape();
  for (const LogitSlab& slab : part.slabs) {
    ASSERT_EQ(slab.begin, next);
    const Shape3& shape = slab.logits.shape();
    ASSERT_EQ(shape, (Shape3{{shape[0], extent[1], extent[2]}}));
    for (int64_t c = 0; c < kChannels; ++c) {
      for (int64_t v = 0; v < shape.voxels(); ++v) {
        const Index3 at{{v / (shape[1] * shape[2]), v / shape[2] % shape[1], v % shape[2]}};
        ASSERT_EQ(slab.logits.at(c, at).bits, expected.at(c, slab.begin + at).bits)
            << "at " << at[0] << ", " << at[1] << ", " << at[2];
      }
    }
    next[0] = slab.end();
  }
  EXPECT_EQ(next[0], random.box.end[0]);
}

INSTANTIATE_TEST_SUITE_P(RandomCases, PredictedBox, testing::Range(0U, 60U));

}  // namespace
}  // namespace nnseg
