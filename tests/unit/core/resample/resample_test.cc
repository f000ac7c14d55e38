#include "core/resample/resample.h"

#include <algorithm>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nnseg {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::FloatNear;
using testing::Pointwise;

struct Grid {
  Shape3 shape;
  Spacing3 spacing{{1, 1, 1}};
};

std::vector<float> Resample(const ResamplingRule& rule, const std::vector<float>& voxels,
                            const Grid& from, const Grid& to) {
  auto image = Volume<float>::Uninitialized(1, from.shape);
  std::copy(voxels.begin(), voxels.end(), image.voxels().begin());
  auto out = Volume<float>::Uninitialized(1, to.shape);
  ResampleChannel(rule, ViewOf(std::as_const(image), 0), from.spacing, to.spacing, ViewOf(out, 0));
  return {out.voxels().begin(), out.voxels().end()};
}

std::vector<float> ResampleLine(int order, int64_t length) {
  return Resample({.order = order}, {0, 10, 20, 10}, {{{1, 1, 4}}}, {{{1, 1, length}}});
}

// Numbers of the worked examples are scikit-image's, given to about seven digits.
constexpr float kDigits = 2e-6F;

TEST(ResampleChannel, CubicLineIsClippedToTheRangeOfTheInput) {
  EXPECT_THAT(ResampleLine(3, 6), Pointwise(FloatNear(kDigits), {0.F, 3.7259526F, 12.444209F,
                                                                 19.7887F, 15.735572F, 9.075267F}));
  EXPECT_THAT(ResampleLine(3, 8),
              Pointwise(FloatNear(kDigits), {0.F, 1.477155F, 6.611774F, 13.664065F, 19.350363F,
                                             18.554083F, 12.549274F, 8.838351F}));
}

TEST(ResampleChannel, CubicLineCanShrink) {
  EXPECT_THAT(ResampleLine(3, 3),
              Pointwise(FloatNear(kDigits), {0.8923841F, 17.009619F, 11.579115F}));
  EXPECT_THAT(ResampleLine(3, 2), Pointwise(FloatNear(kDigits), {3.7259526F, 15.735572F}));
}

TEST(ResampleChannel, LinearLineRepeatsItsEdges) {
  EXPECT_THAT(ResampleLine(1, 8), ElementsAre(0, 2.5, 7.5, 12.5, 17.5, 17.5, 12.5, 10));
  EXPECT_THAT(ResampleLine(1, 2), ElementsAre(5, 15));
}

TEST(ResampleChannel, NearestLineTakesHalvesUp) {
  EXPECT_THAT(ResampleLine(0, 2), ElementsAre(10, 10));
}

const std::vector<float> kBlock = {0, 10, 20, 30, 100, 110, 120, 130};

TEST(ResampleChannel, CubicBlockResamplesThreeAxesTogether) {
  EXPECT_THAT(
      Resample({}, kBlock, {{{2, 2, 2}}}, {{{3, 2, 3}}}),
      Pointwise(FloatNear(1e-5F), {0.F, 0.F, 3.0421958F, 11.496017F, 17.269106F, 23.042196F,
                                   49.22691F, 55.F, 60.77309F, 69.22691F, 75.F, 80.77309F,
                                   106.9578F, 112.730896F, 118.50398F, 126.9578F, 130.F, 130.F}));
}

TEST(ResampleChannel, SeparateAxisTakesNearestSlicesClippedEachToItsOwnRange) {
  const std::vector<float> first = {0, 5, 10.773089F, 19.226912F, 25, 30};
  const std::vector<float> second = {100, 105, 110.77309F, 119.22691F, 125, 130};
  std::vector<float> expected = first;
  for (int i = 0; i < 2; ++i) expected.insert(expected.end(), second.begin(), second.end());
  EXPECT_THAT(Resample({.force_separate_z = std::nullopt}, kBlock, {{{2, 2, 2}}, {{6, 1, 1}}},
                       {{{3, 2, 3}}, {{4, 1, 0.667}}}),
              Pointwise(FloatNear(1e-5F), expected));
}

TEST(ResampleChannel, ClipScopeIsTheVolumeOrTheSlice) {
  const std::vector<float> image = {0, 10, 20, 10, -100, 100, -100, 100};
  EXPECT_NEAR(Resample({}, image, {{{2, 1, 4}}}, {{{2, 1, 8}}})[0], -0.6412088F, kDigits);
  EXPECT_EQ(
      Resample({.force_separate_z = true}, image, {{{2, 1, 4}}, {{5, 1, 1}}}, {{{2, 1, 8}}})[0], 0);
}

TEST(ResampleChannel, EqualShapesAreCopiedWhateverTheRule) {
  EXPECT_THAT(Resample({.resampler = Resampler::kNone}, kBlock, {{{2, 2, 2}}}, {{{2, 2, 2}}}),
              ElementsAreArray(kBlock));
}

TEST(ResampleChannel, PermutingAxesPermutesTheResult) {
  // Any of the three axes may be the coarse one.
  std::vector<float> image(4 * 5 * 6);
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(i * i % 89);
  auto volume = Volume<float>::Uninitialized(1, {{4, 5, 6}});
  std::copy(image.begin(), image.end(), volume.voxels().begin());
  const Spacing3 fine{{6, 1, 1.2}};
  auto straight = Volume<float>::Uninitialized(1, {{3, 7, 8}});
  const ResamplingRule rule{.order_z = 1, .force_separate_z = std::nullopt};
  ResampleChannel(rule, ViewOf(std::as_const(volume), 0), fine, {{8, 1, 1}}, ViewOf(straight, 0));
  for (const std::array<int, 3> axes : {std::array{1, 0, 2}, std::array{2, 0, 1}}) {
    const auto permutation = AxisPermutation::Create(axes).value();
    // Cubic taps are summed in the order of the axes, so only in-plane order must be kept.
    const auto inverse = permutation.Inverse();
    auto permuted = Volume<float>::Uninitialized(1, inverse.Apply(straight.shape()));
    ResampleChannel(rule, ViewOf(std::as_const(volume), 0).Permuted(inverse), inverse.Apply(fine),
                    inverse.Apply(Spacing3{{8, 1, 1}}), ViewOf(permuted, 0));
    const auto back = ViewOf(permuted, 0).Permuted(permutation);
    for (int64_t z = 0; z < 3; ++z) {
      for (int64_t y = 0; y < 7; ++y) {
        for (int64_t x = 0; x < 8; ++x) {
          EXPECT_EQ(back.at({{z, y, x}}), straight.at(0, {{z, y, x}}));
        }
      }
    }
  }
}

}  // namespace
}  // namespace nnseg
