#include "core/tiling/slab_accumulator.h"

#include <limits>
#include <vector>

#include "core/tiling/gaussian_importance.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

Half Add(Half a, float b) { return Half(static_cast<float>(a) + b); }

// The accumulator's rules over whole volumes, one number at a time.
Volume<Half> ReferenceLogits(const PatchGrid& grid, const std::vector<Half>& importance,
                             int64_t channels, int64_t folds,
                             const std::vector<Volume<float>>& tiles) {
  const Shape3& patch = grid.patch_size();
  auto mean = Volume<Half>::Uninitialized(channels, grid.padded_shape());
  for (int64_t fold = 0; fold < folds; ++fold) {
    auto sums = Volume<Half>::Filled(channels, grid.padded_shape(), Half(0.0F));
    auto weights = Volume<Half>::Filled(1, grid.padded_shape(), Half(0.0F));
    for (int64_t tile = 0; tile < grid.tiles(); ++tile) {
      const Volume<float>& logits = tiles[tile * folds + fold];
      for (int64_t v = 0; v < patch.voxels(); ++v) {
        const Index3 offset{{v / (patch[1] * patch[2]), v / patch[2] % patch[1], v % patch[2]}};
        const Index3 voxel = grid.tile(tile) + offset;
        const auto weight = static_cast<float>(importance[v]);
        for (int64_t c = 0; c < channels; ++c) {
          sums.at(c, voxel) = Add(sums.at(c, voxel), logits.at(c, offset) * weight);
        }
        weights.at(0, voxel) = Add(weights.at(0, voxel), weight);
      }
    }
    for (int64_t i = 0; i < mean.size(); ++i) {
      const int64_t voxel = i % grid.padded_shape().voxels();
      const Half quotient(static_cast<float>(sums.voxels()[i]) /
                          static_cast<float>(weights.voxels()[voxel]));
      mean.voxels()[i] = fold == 0 ? quotient : Add(mean.voxels()[i], static_cast<float>(quotient));
    }
  }
  auto image = Volume<Half>::Uninitialized(channels, grid.image_shape());
  for (int64_t i = 0; i < image.size(); ++i) {
    const Shape3& shape = image.shape();
    const int64_t v = i % shape.voxels();
    const Index3 voxel{{v / (shape[1] * shape[2]), v / shape[2] % shape[1], v % shape[2]}};
    const Half sum = mean.at(i / shape.voxels(), voxel + grid.padding_before());
    image.voxels()[i] = folds == 1 ? sum : Half(static_cast<float>(sum) / folds);
  }
  return image;
}

struct Geometry {
  Shape3 image;
  Shape3 patch;
  int64_t folds = 1;
  int patch_dimensions = 3;
};

class SlabAccumulatorTest : public testing::TestWithParam<Geometry> {};

TEST_P(SlabAccumulatorTest, RollingWindowGivesTheBitsOfWholeVolumes) {
  const auto& [image, patch, folds, patch_dimensions] = GetParam();
  constexpr int64_t kChannels = 3;
  const auto grid = PatchGrid::Create(image, patch, patch_dimensions, 0.5).value();
  const std::vector<Half> importance = GaussianImportance(patch);
  std::vector<Volume<float>> tiles;
  for (int64_t i = 0; i < grid.tiles() * folds; ++i) {
    tiles.push_back(RandomVolume(kChannels, patch, static_cast<uint32_t>(i)));
  }
  const Volume<Half> expected = ReferenceLogits(grid, importance, kChannels, folds, tiles);

  SlabAccumulator accumulator(grid, importance, kChannels, folds);
  int64_t next = 0;
  for (int64_t tile = 0; tile < grid.tiles(); ++tile) {
    for (int64_t fold = 0; fold < folds; ++fold) {
      accumulator.Add(tile, fold, tiles[tile * folds + fold].voxels());
    }
    const LogitSlab slab = accumulator.TakeFinished().value();
    EXPECT_EQ(slab.logits.empty(), (tile + 1) % grid.tiles_per_row() != 0);
    if (slab.logits.empty()) continue;
    EXPECT_EQ(slab.begin, (Index3{{next, 0, 0}}));
    next = slab.end();
    for (int64_t c = 0; c < kChannels; ++c) {
      const auto part = expected.channel(c).subspan(slab.begin[0] * image[1] * image[2],
                                                    slab.logits.shape().voxels());
      EXPECT_EQ(CountDifferent<Half>(slab.logits.channel(c), part), 0) << "slab " << slab.begin[0];
    }
  }
  EXPECT_EQ(next, image[0]);
}

INSTANTIATE_TEST_SUITE_P(Shapes, SlabAccumulatorTest,
                         testing::Values(Geometry{{{17, 13, 11}}, {{8, 8, 8}}},
                                         Geometry{{{17, 9, 30}}, {{8, 9, 12}}, 2},
                                         Geometry{{{5, 6, 7}}, {{8, 8, 8}}, 3},
                                         Geometry{{{20, 5, 9}}, {{4, 8, 6}}, 5},
                                         Geometry{{{5, 13, 19}}, {{1, 8, 9}}, 1, 2},
                                         Geometry{{{3, 5, 21}}, {{1, 8, 9}}, 3, 2},
                                         Geometry{{{1, 20, 13}}, {{1, 8, 12}}, 2, 2}));

TEST(SlabAccumulator, HandsOnWhatNoLaterTileTouches) {
  const auto grid = PatchGrid::Create({{10, 4, 4}}, {{4, 4, 4}}, 3, 0.5).value();  // 0, 2, 4, 6
  SlabAccumulator accumulator(grid, UniformImportance(grid.patch_size()), 1, 1);
  const std::vector<float> tile(64, 1);
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (int64_t i = 0; i < grid.tiles(); ++i) {
    accumulator.Add(i, 0, tile);
    const LogitSlab slab = accumulator.TakeFinished().value();
    ranges.emplace_back(slab.begin[0], slab.end());
  }
  EXPECT_THAT(ranges, testing::ElementsAre(testing::Pair(0, 2), testing::Pair(2, 4),
                                           testing::Pair(4, 6), testing::Pair(6, 10)));
}

TEST(SlabAccumulator, HandsOnEverySliceOfATwoDimensionalModelByItself) {
  const auto grid = PatchGrid::Create({{3, 4, 6}}, {{1, 4, 4}}, 2, 0.5).value();
  SlabAccumulator accumulator(grid, UniformImportance(grid.patch_size()), 1, 1);
  const std::vector<float> tile(16, 1);
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (int64_t i = 0; i < grid.tiles(); ++i) {
    accumulator.Add(i, 0, tile);
    const LogitSlab slab = accumulator.TakeFinished().value();
    if (!slab.logits.empty()) ranges.emplace_back(slab.begin[0], slab.end());
  }
  EXPECT_THAT(ranges,
              testing::ElementsAre(testing::Pair(0, 1), testing::Pair(1, 2), testing::Pair(2, 3)));
}

// At the smallest weight a logit is rounded to a multiple of that weight: nnU-Net's behaviour,
// which flushing subnormals or summing in float would lose.
TEST(SlabAccumulator, SubnormalWeightsQuantiseLogits) {
  const auto grid = PatchGrid::Create({{1, 1, 2}}, {{1, 1, 2}}, 3, 0.5).value();
  Half one;
  one.bits = 1;
  Half two;
  two.bits = 2;
  SlabAccumulator accumulator(grid, {one, two}, 4, 1);
  const std::vector<float> logits{2.3F, 2.3F, 2.7F, 2.7F, -1.4F, -1.4F, 0.4F, 0.4F};
  accumulator.Add(0, 0, logits);
  const LogitSlab slab = accumulator.TakeFinished().value();
  std::vector<float> values(8);
  ToFloat(slab.logits.voxels(), values);
  EXPECT_THAT(values, testing::ElementsAre(2, 2.5, 3, 2.5, -1, -1.5, 0, 0.5));
}

TEST(SlabAccumulator, AnInfiniteLogitIsAnErrorEvenInThePadding) {
  const auto grid = PatchGrid::Create({{2, 2, 10}}, {{2, 2, 11}}, 3, 0.5).value();
  for (const int64_t voxel : {2, 9, 10}) {  // in a whole vector, after it, in the padding
    SlabAccumulator accumulator(grid, UniformImportance(grid.patch_size()), 1, 1);
    std::vector<float> logits(44, 1);
    logits[voxel] = 1e6F;
    accumulator.Add(0, 0, logits);
    EXPECT_THAT(accumulator.TakeFinished(),
                StatusIs(absl::StatusCode::kInternal, HasSubstr("infinite")));
  }
}

TEST(SlabAccumulator, NanPasses) {
  const auto grid = PatchGrid::Create({{2, 2, 2}}, {{2, 2, 2}}, 3, 0.5).value();
  SlabAccumulator accumulator(grid, UniformImportance(grid.patch_size()), 1, 1);
  std::vector<float> logits(8, 1);
  logits[3] = std::numeric_limits<float>::quiet_NaN();
  accumulator.Add(0, 0, logits);
  EXPECT_THAT(accumulator.TakeFinished(), IsOk());
}

TEST(SlabAccumulator, HoldsOnePatchDepthHoweverLongTheVolumeIs) {
  const auto grid_of = [](int64_t depth) {
    return PatchGrid::Create({{depth, 30, 40}}, {{16, 16, 16}}, 3, 0.5).value();
  };
  EXPECT_EQ(SlabAccumulator::Bytes(grid_of(20), 5, 2), SlabAccumulator::Bytes(grid_of(2000), 5, 2));
  // Two folds' sums, the weights, and one slab at most as deep as a patch.
  EXPECT_EQ(SlabAccumulator::Bytes(grid_of(20), 5, 2), (2 * 5 + 1 + 5) * 16 * 30 * 40 * 2);
}

}  // namespace
}  // namespace nnseg
