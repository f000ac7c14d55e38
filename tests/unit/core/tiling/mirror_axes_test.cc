#include "core/tiling/mirror_axes.h"

#include <algorithm>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<Mirror> Mirrors(const std::vector<int>& axes) { return MirrorsOf(axes).value(); }

TEST(MirrorsOf, SubsetsComeBySizeThenInListedOrder) {
  EXPECT_THAT(
      Mirrors({0, 1, 2}),
      ElementsAre(Mirror{}, Mirror{true, false, false}, Mirror{false, true, false},
                  Mirror{false, false, true}, Mirror{true, true, false}, Mirror{true, false, true},
                  Mirror{false, true, true}, Mirror{true, true, true}));
  EXPECT_THAT(Mirrors({2, 0}), ElementsAre(Mirror{}, Mirror{false, false, true},
                                           Mirror{true, false, false}, Mirror{true, false, true}));
}

TEST(MirrorsOf, SlicesAreMirroredInTheirPlane) {
  EXPECT_THAT(Mirrors({1, 2}), ElementsAre(Mirror{}, Mirror{false, true, false},
                                           Mirror{false, false, true}, Mirror{false, true, true}));
}

TEST(MirrorsOf, NoAxesMeansTheTileAsItIs) { EXPECT_THAT(Mirrors({}), ElementsAre(Mirror{})); }

TEST(MirrorsOf, RefusesAxesOutOfRangeOrTwice) {
  for (const std::vector<int>& axes : std::vector<std::vector<int>>{{3}, {-1}, {0, 0}}) {
    EXPECT_THAT(MirrorsOf(axes),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("distinct axes 0 to 2")));
  }
}

class MirrorPatchTest : public testing::TestWithParam<Mirror> {};

TEST_P(MirrorPatchTest, ReversesTheNamedAxesOfEveryChannel) {
  const Mirror mirror = GetParam();
  const Shape3 shape{{3, 4, 5}};
  const auto original = CountingVolume<float>(2, shape);
  auto mirrored = CopyOf(original);
  MirrorPatch(mirror, shape, mirrored.voxels());
  const auto index = [&](int64_t i, int axis) { return mirror[axis] ? shape[axis] - 1 - i : i; };
  for (int64_t c = 0; c < 2; ++c) {
    for (int64_t z = 0; z < 3; ++z) {
      for (int64_t y = 0; y < 4; ++y) {
        for (int64_t x = 0; x < 5; ++x) {
          ASSERT_EQ(mirrored.at(c, {{z, y, x}}),
                    original.at(c, {{index(z, 0), index(y, 1), index(x, 2)}}));
        }
      }
    }
  }
  MirrorPatch(mirror, shape, mirrored.voxels());
  EXPECT_EQ(CountDifferent<float>(mirrored.voxels(), original.voxels()), 0) << "not its inverse";
}

TEST_P(MirrorPatchTest, AddMirroredAddsWhatMirrorPatchMakes) {
  const Shape3 shape{{3, 4, 5}};
  const auto patch = RandomVolume(2, shape, 1);
  auto sum = RandomVolume(2, shape, 2);
  auto mirrored = CopyOf(patch);
  MirrorPatch(GetParam(), shape, mirrored.voxels());
  std::vector<float> expected(sum.size());
  std::transform(sum.voxels().begin(), sum.voxels().end(), mirrored.voxels().begin(),
                 expected.begin(), std::plus<>());
  AddMirrored(GetParam(), shape, patch.voxels(), sum.voxels());
  EXPECT_EQ(CountDifferent<float>(sum.voxels(), expected), 0);
}

INSTANTIATE_TEST_SUITE_P(AllMirrors, MirrorPatchTest, testing::ValuesIn(Mirrors({0, 1, 2})));

}  // namespace
}  // namespace nnseg
