#include "client/io/axis_turn.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/volume_builders.h"
#include "tests/unit/client/image_files.h"

namespace nnseg {
namespace {

/// Where a voxel (x, y, z) lies in the world.
std::array<double, 3> PlaceOf(const Geometry& g, const std::array<int64_t, 3>& voxel) {
  std::array<double, 3> place = g.origin_mm;
  for (int row = 0; row < 3; ++row) {
    for (int axis = 0; axis < 3; ++axis) {
      place[row] +=
          g.direction[3 * row + axis] * g.spacing_mm[axis] * static_cast<double>(voxel[axis]);
    }
  }
  return place;
}

const AxisTurn kTurn{{2, 0, 1}, {false, true, true}};

TEST(AxisTurn, EachVoxelKeepsItsPlaceInTheWorld) {
  const Geometry from = ObliqueGeometry();
  const Geometry to = Turned(from, kTurn);
  const Volume<uint16_t> labels = CountingVolume<uint16_t>(1, from.shape());
  const Volume<uint16_t> turned = Turned(labels, kTurn);
  ASSERT_EQ(turned.shape(), to.shape());
  for (int64_t z = 0; z < to.size[2]; ++z) {
    for (int64_t y = 0; y < to.size[1]; ++y) {
      for (int64_t x = 0; x < to.size[0]; ++x) {
        const int64_t value = turned.at(0, {{z, y, x}});
        const auto place = PlaceOf(from, {value % 4, value / 4 % 3, value / 12});
        const auto turned_place = PlaceOf(to, {x, y, z});
        for (int i = 0; i < 3; ++i) EXPECT_NEAR(turned_place[i], place[i], 1e-12);
      }
    }
  }
}

TEST(AxisTurn, TheInverseUndoesIt) {
  const Volume<uint16_t> labels = CountingVolume<uint16_t>(1, {{2, 3, 4}});
  const Volume<uint16_t> back = Turned(Turned(labels, kTurn), kTurn.Inverse());
  EXPECT_EQ(back.shape(), labels.shape());
  EXPECT_TRUE(std::equal(back.voxels().begin(), back.voxels().end(), labels.voxels().begin()));
  EXPECT_EQ(kTurn.Inverse().Inverse(), kTurn);
}

TEST(AxisTurn, RasIsAgainstXAndYOfTheLpsWorld) {
  const Geometry lps{{4, 3, 2}};
  EXPECT_EQ(TurnToRas(lps), (AxisTurn{{0, 1, 2}, {true, true, false}}));
  const Geometry permuted{{4, 3, 2}, {1, 1, 1}, {}, {0, 0, -1, 1, 0, 0, 0, -1, 0}};
  EXPECT_EQ(TurnToRas(permuted), (AxisTurn{{2, 0, 1}, {false, true, true}}));
  EXPECT_EQ(TurnToRas(NiftiAffine{0, 0, 2, 0, -3, 0, 0, 0, 0, -1, 0, 0}),
            (AxisTurn{{2, 0, 1}, {false, true, true}}));
}

}  // namespace
}  // namespace nnseg
