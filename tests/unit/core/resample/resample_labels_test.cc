#include "core/resample/resample_labels.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nnseg {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

struct Grid {
  Shape3 shape;
  Spacing3 spacing{{1, 1, 1}};
};

std::vector<int32_t> Resample(const ResamplingRule& rule, const std::vector<int32_t>& voxels,
                              const Grid& from, const Grid& to) {
  auto labels = Volume<int32_t>::Uninitialized(1, from.shape);
  std::copy(voxels.begin(), voxels.end(), labels.voxels().begin());
  auto out = Volume<int32_t>::Uninitialized(1, to.shape);
  ResampleLabels(rule, ViewOf(std::as_const(labels), 0), from.spacing, to.spacing, ViewOf(out, 0));
  return {out.voxels().begin(), out.voxels().end()};
}

std::vector<int32_t> ResampleLine(const std::vector<int32_t>& line, int64_t length) {
  return Resample({.order = 1}, line, {{{1, 1, static_cast<int64_t>(line.size())}}},
                  {{{1, 1, length}}});
}

const std::vector<int32_t> kSquare = {1, 2, 3, 4};

TEST(ResampleLabels, TiesGoToTheNearestVoxel) {
  EXPECT_THAT(ResampleLine({1, 3}, 3), ElementsAre(1, 3, 3));
  EXPECT_THAT(ResampleLine({3, 1}, 3), ElementsAre(3, 1, 1));
  EXPECT_THAT(Resample({.order = 1}, kSquare, {{{1, 2, 2}}}, {{{1, 3, 3}}}),
              ElementsAre(1, 2, 2, 3, 4, 4, 3, 4, 4));
}

TEST(ResampleLabels, ANearestVoxelThatLostIsNotTaken) {
  const std::vector<int32_t> block = {3, 1, 1, 1, 2, 2, 2, 3};
  EXPECT_THAT(Resample({.order = 1}, block, {{{2, 2, 2}}}, {{{1, 1, 1}}}), ElementsAre(1));
}

TEST(ResampleLabels, CubicTiesGoToTheNearestVoxelToo) {
  EXPECT_THAT(Resample({.order = 3}, {2, 2, 0, 2}, {{{2, 1, 2}}}, {{{2, 3, 1}}}),
              ElementsAre(2, 2, 2, 0, 0, 2));
}

TEST(ResampleLabels, LinesGrowAndShrink) {
  const std::vector<int32_t> line = {0, 0, 1, 1, 2, 2};
  EXPECT_THAT(ResampleLine(line, 9), ElementsAre(0, 0, 0, 1, 1, 1, 2, 2, 2));
  EXPECT_THAT(ResampleLine(line, 4), ElementsAre(0, 1, 1, 2));
  EXPECT_THAT(ResampleLine(line, 3), ElementsAre(0, 1, 2));
}

TEST(ResampleLabels, MinusOneIsALabel) {
  EXPECT_THAT(ResampleLine({-1, -1, 0, 5}, 8), ElementsAre(-1, -1, -1, -1, 0, 0, 5, 5));
}

TEST(ResampleLabels, TorchTakesTheSmallestOfEqualLabels) {
  const ResamplingRule rule{.resampler = Resampler::kTorch};
  EXPECT_THAT(Resample(rule, kSquare, {{{1, 2, 2}}}, {{{1, 3, 3}}}),
              ElementsAre(1, 1, 2, 1, 1, 2, 3, 3, 4));
}

TEST(ResampleLabels, TorchSavingMemoryLeavesBackgroundWhereNoLabelHasMoreThanHalf) {
  const ResamplingRule rule{.resampler = Resampler::kTorch, .memory_efficient_labels = true};
  EXPECT_THAT(Resample(rule, kSquare, {{{1, 2, 2}}}, {{{1, 3, 3}}}),
              ElementsAre(1, 0, 2, 0, 0, 0, 3, 0, 4));
}

TEST(ResampleLabels, ASplineAlongTheCoarseAxisSetsNothingAtATie) {
  const ResamplingRule rule{.order = 1, .order_z = 1, .force_separate_z = true};
  EXPECT_THAT(Resample(rule, {1, 3}, {{{2, 1, 1}}, {{5, 1, 1}}}, {{{3, 1, 1}}, {{3, 1, 1}}}),
              ElementsAre(1, 0, 3));
}

TEST(ResampleLabels, EqualShapesAreCopiedWhateverTheRule) {
  EXPECT_THAT(Resample({.resampler = Resampler::kNone}, kSquare, {{{1, 2, 2}}}, {{{1, 2, 2}}}),
              ElementsAreArray(kSquare));
}

}  // namespace
}  // namespace nnseg
