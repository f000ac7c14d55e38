#include "core/tiling/patch_grid.h"

#include <limits>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Tile starts along one axis.
std::vector<int64_t> Starts(int64_t size, int64_t patch, double step = 0.5) {
  const auto grid = PatchGrid::Create({{1, 1, size}}, {{1, 1, patch}}, 3, step).value();
  return {grid.starts(2).begin(), grid.starts(2).end()};
}

TEST(PatchGrid, StartsAreEvenlySpacedWithHalvesRoundedToEven) {
  EXPECT_THAT(Starts(110, 64), ElementsAre(0, 23, 46));
  EXPECT_THAT(Starts(200, 128), ElementsAre(0, 36, 72));
  EXPECT_THAT(Starts(129, 128), ElementsAre(0, 1));
  EXPECT_THAT(Starts(97, 64), ElementsAre(0, 16, 33));  // 16.5
  EXPECT_THAT(Starts(99, 64), ElementsAre(0, 18, 35));  // 17.5
  EXPECT_THAT(Starts(65, 32), ElementsAre(0, 11, 22, 33));
  EXPECT_THAT(Starts(35, 16), ElementsAre(0, 6, 13, 19));
  EXPECT_THAT(Starts(37, 16), ElementsAre(0, 7, 14, 21));
}

TEST(PatchGrid, OneTileCoversAnImageNoLargerThanThePatch) {
  EXPECT_THAT(Starts(64, 64), ElementsAre(0));
  EXPECT_THAT(Starts(5, 8), ElementsAre(0));
}

TEST(PatchGrid, LastPatchTouchesTheFarEdgeAndNoGapIsLeft) {
  for (const double step : {0.25, 0.5, 0.7, 1.0}) {
    for (int64_t size = 1; size < 100; ++size) {
      const std::vector<int64_t> starts = Starts(size, 16, step);
      EXPECT_EQ(starts.front(), 0);
      EXPECT_EQ(starts.back(), std::max<int64_t>(size, 16) - 16);
      for (std::size_t i = 1; i < starts.size(); ++i) {
        EXPECT_LE(starts[i] - starts[i - 1], 16);
        EXPECT_GT(starts[i], starts[i - 1]);
      }
    }
  }
}

TEST(PatchGrid, PadsToThePatchWithTheOddVoxelAfter) {
  const auto grid = PatchGrid::Create({{5, 6, 7}}, {{8, 8, 8}}, 3, 0.5).value();
  EXPECT_EQ(grid.padded_shape(), (Shape3{{8, 8, 8}}));
  EXPECT_EQ(grid.padding_before(), (Index3{{1, 1, 0}}));
  EXPECT_EQ(grid.tiles(), 1);
}

TEST(PatchGrid, WalksAxis0Outermost) {
  const auto grid = PatchGrid::Create({{6, 6, 6}}, {{4, 4, 4}}, 3, 0.5).value();
  EXPECT_EQ(grid.tiles(), 8);
  EXPECT_EQ(grid.tiles_per_row(), 4);
  EXPECT_EQ(grid.tile(0), (Index3{{0, 0, 0}}));
  EXPECT_EQ(grid.tile(1), (Index3{{0, 0, 2}}));
  EXPECT_EQ(grid.tile(2), (Index3{{0, 2, 0}}));
  EXPECT_EQ(grid.tile(4), (Index3{{2, 0, 0}}));
  EXPECT_EQ(grid.tile(7), (Index3{{2, 2, 2}}));
}

TEST(PatchGrid, PatchesOfTwoDimensionsLieInEverySliceOnce) {
  for (const double step : {0.25, 0.5, 1.0}) {
    const auto grid = PatchGrid::Create({{5, 4, 7}}, {{1, 4, 4}}, 2, step).value();
    EXPECT_THAT(std::vector<int64_t>(grid.starts(0).begin(), grid.starts(0).end()),
                ElementsAre(0, 1, 2, 3, 4))
        << step;
  }
  const auto grid = PatchGrid::Create({{5, 4, 7}}, {{1, 4, 4}}, 2, 0.5).value();
  EXPECT_EQ(grid.tiles(), 5 * 3);
  EXPECT_EQ(grid.tiles_per_row(), 3);
  EXPECT_EQ(grid.tile(1), (Index3{{0, 0, 2}}));  // 1.5
  EXPECT_EQ(grid.tile(2), (Index3{{0, 0, 3}}));
  EXPECT_EQ(grid.tile(3), (Index3{{1, 0, 0}}));
}

TEST(PatchGrid, SlicesArePaddedInTheirPlaneOnly) {
  const auto image = CountingVolume<float>(2, {{3, 2, 3}});
  const auto grid = PatchGrid::Create(image.shape(), {{1, 5, 3}}, 2, 0.5).value();
  EXPECT_EQ(grid.padded_shape(), (Shape3{{3, 5, 3}}));
  EXPECT_EQ(grid.padding_before(), (Index3{{0, 1, 0}}));
  EXPECT_EQ(grid.tiles(), 3);
  std::vector<float> patch(30, -1);
  grid.CopyTile(image, grid.tile(1), patch);
  EXPECT_THAT(patch, ElementsAre(0, 0, 0, 6, 7, 8, 9, 10, 11, 0, 0, 0, 0, 0, 0,  //
                                 0, 0, 0, 24, 25, 26, 27, 28, 29, 0, 0, 0, 0, 0, 0));
}

TEST(PatchGrid, CopiesATileOfEveryChannel) {
  const auto image = CountingVolume<float>(2, {{5, 6, 7}});
  const auto grid = PatchGrid::Create(image.shape(), {{2, 3, 4}}, 3, 0.5).value();
  std::vector<float> patch(2 * 24, -1);
  const Index3 start{{3, 1, 2}};
  grid.CopyTile(image, start, patch);
  auto value = patch.begin();
  for (int64_t c = 0; c < 2; ++c) {
    for (int64_t z = 0; z < 2; ++z) {
      for (int64_t y = 0; y < 3; ++y) {
        for (int64_t x = 0; x < 4; ++x) {
          EXPECT_EQ(*value++, image.at(c, start + Index3{{z, y, x}}));
        }
      }
    }
  }
}

TEST(PatchGrid, FillsWithZeroOutsideOfTheImage) {
  const auto image = Volume<float>::Filled(1, {{1, 2, 3}}, 5);
  const auto grid = PatchGrid::Create(image.shape(), {{2, 4, 3}}, 3, 0.5).value();
  std::vector<float> patch(24, -1);
  grid.CopyTile(image, {{0, 0, 0}}, patch);
  EXPECT_THAT(patch, ElementsAre(0, 0, 0, 5, 5, 5, 5, 5, 5, 0, 0, 0,  //
                                 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
}

TEST(PatchGrid, WithinABoxKeepsTheTilesThatTouchIt) {
  // Starts 0, 2, 4, 6 along each axis.
  const auto grid = PatchGrid::Create({{10, 10, 10}}, {{4, 4, 4}}, 3, 0.5).value();
  const PatchGrid part = grid.Within({{{3, 6, 0}}, {{4, 8, 1}}});
  EXPECT_THAT(part.starts(0), ElementsAre(0, 2));
  EXPECT_THAT(part.starts(1), ElementsAre(4, 6));
  EXPECT_THAT(part.starts(2), ElementsAre(0));
  EXPECT_EQ(part.tiles(), 4);
  EXPECT_EQ(part.tile(1), (Index3{{0, 6, 0}}));
  EXPECT_EQ(part.box(), (Box3{{{3, 6, 0}}, {{4, 8, 1}}}));
  EXPECT_EQ(part.window(), (Box3{{{0, 4, 0}}, {{6, 10, 4}}}));
  EXPECT_EQ(grid.box(), Box3::Whole({{10, 10, 10}}));
  EXPECT_EQ(grid.window(), Box3::Whole({{10, 10, 10}}));
}

TEST(PatchGrid, TheWindowOfAPaddedImageHoldsThePadding) {
  const auto grid = PatchGrid::Create({{5, 6, 20}}, {{8, 8, 8}}, 3, 0.5).value();
  const PatchGrid part = grid.Within({{{2, 0, 0}}, {{3, 6, 1}}});
  EXPECT_EQ(part.tiles(), 1);
  EXPECT_EQ(part.window(), (Box3{{{0, 0, 0}}, {{8, 8, 8}}}));
}

TEST(PatchGrid, RefusesStepsThatLeaveGapsOrNeverEnd) {
  for (const double step : {0.0, -0.5, 1.01, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THAT(PatchGrid::Create({{5, 5, 5}}, {{4, 4, 4}}, 3, step),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tile step size is ")));
  }
  EXPECT_THAT(PatchGrid::Create({{5, 0, 5}}, {{4, 4, 4}}, 3, 0.5),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("5x0x5")));
}

TEST(PatchGrid, RefusesPatchesWhoseDimensionsContradictTheirShape) {
  const auto create = [](const Shape3& patch, int dimensions) {
    return PatchGrid::Create({{5, 5, 5}}, patch, dimensions, 0.5);
  };
  EXPECT_THAT(create({{2, 4, 4}}, 2),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "patch of 2 dimensions is 2x4x4, expected 3 of them, or 2 and one slice"));
  for (const int dimensions : {1, 4}) {
    EXPECT_THAT(create({{1, 4, 4}}, dimensions), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace nnseg
