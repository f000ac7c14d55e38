#include "core/geometry/region.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nnseg {
namespace {

using testing::ElementsAre;

// 10 x 20 x 30 voxels (x, y, z) of 1 x 2 x 3 mm; the first voxel's faces are at -0.5, -1 and -1.5.
const Geometry kStraight{.size = {10, 20, 30}, .spacing_mm = {1, 2, 3}};

TEST(VoxelsIn, AVoxelReachesHalfASpacingFromItsCentre) {
  // x: 1.6 to 3.4 lies in voxels 2 and 3; y: the centre of voxel 5; z: voxels 0 to 2.
  EXPECT_EQ(VoxelsIn({{1.6, 10, -1.4}, {3.4, 10, 5}}, kStraight), (Box3{{{0, 5, 2}}, {{3, 6, 4}}}));
}

TEST(VoxelsIn, FacesOfVoxelsAddNoNeighbours) {
  EXPECT_EQ(VoxelsIn({{1.5, 9, -1.5}, {3.5, 11, 4.5}}, kStraight),
            (Box3{{{0, 5, 2}}, {{2, 6, 4}}}));
}

TEST(VoxelsIn, IsCutToTheImage) {
  EXPECT_EQ(VoxelsIn({{-1e300, -5, 80}, {1e300, 3, 1e9}}, kStraight),
            (Box3{{{27, 0, 0}}, {{30, 2, 10}}}));
  EXPECT_TRUE(VoxelsIn({{10, 0, 0}, {20, 5, 5}}, kStraight).empty());
  EXPECT_TRUE(VoxelsIn({{0, -9, 0}, {1, -2, 5}}, kStraight).empty());
}

TEST(VoxelsIn, FollowsOriginAndDirection) {
  // x of the image runs against the world's, and y and z are exchanged.
  Geometry turned{.size = {10, 20, 30}, .spacing_mm = {1, 2, 3}, .origin_mm = {100, -50, 7}};
  turned.direction = {-1, 0, 0, 0, 0, 1, 0, 1, 0};
  // World x 96.6..98.4: indices 1.6..3.4; world z 7+10: index y 5; world y -50+0..6: indices z
  // 0..2.
  EXPECT_EQ(VoxelsIn({{96.6, -50, 17}, {98.4, -44, 17}}, turned), (Box3{{{0, 5, 2}}, {{3, 6, 4}}}));
}

TEST(VoxelsIn, HoldsAllCornersUnderARotation) {
  Geometry turned{.size = {40, 40, 40}, .origin_mm = {-20, -20, -20}};
  const double c = std::cos(0.4);
  const double s = std::sin(0.4);
  turned.direction = {c, -s, 0, s, c, 0, 0, 0, 1};
  const PhysicalBox box{{-9, 1, -3}, {-4, 8, 2}};
  const Box3 voxels = VoxelsIn(box, turned);
  Box3 expected;  // of the voxels that hold the corners
  for (int corner = 0; corner < 8; ++corner) {
    const double x = ((corner & 1) != 0 ? box.end_mm : box.begin_mm)[0] + 20;
    const double y = ((corner & 2) != 0 ? box.end_mm : box.begin_mm)[1] + 20;
    const double z = ((corner & 4) != 0 ? box.end_mm : box.begin_mm)[2] + 20;
    const Index3 voxel{{std::lround(z), std::lround(-s * x + c * y), std::lround(c * x + s * y)}};
    expected = BoundingBox(expected, {voxel, voxel + Index3{{1, 1, 1}}});
  }
  EXPECT_EQ(voxels, expected);
}

TEST(JoinOverlapping, JoinsUntilNoneOverlap) {
  const Box3 a{{{0, 0, 0}}, {{2, 2, 2}}};
  const Box3 beside{{{2, 0, 0}}, {{4, 2, 2}}};
  EXPECT_THAT(JoinOverlapping({a, beside}), ElementsAre(a, beside));
  EXPECT_THAT(JoinOverlapping({a, a}), ElementsAre(a));
  // The third overlaps neither, but the bounding box of the two.
  const Box3 b{{{1, 1, 1}}, {{9, 9, 2}}};
  const Box3 c{{{7, 0, 0}}, {{8, 1, 1}}};
  EXPECT_THAT(JoinOverlapping({c, a, b}), ElementsAre(Box3{{{0, 0, 0}}, {{9, 9, 2}}}));
  EXPECT_THAT(JoinOverlapping({}), ElementsAre());
}

}  // namespace
}  // namespace nnseg
