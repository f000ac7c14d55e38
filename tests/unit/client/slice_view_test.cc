#include "client/io/slice_view.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/image_files.h"

namespace nnseg {
namespace {

using testing::ElementsAre;

/// x towards the patient's left, y posterior, z superior: the directions of the LPS world.
Geometry Lps() { return {{10, 20, 30}, {1, 2, 3}}; }
/// x towards the patient's right, y anterior, z superior: a usual NIfTI file.
Geometry Ras() {
  Geometry geometry = Lps();
  geometry.direction = {-1, 0, 0, 0, -1, 0, 0, 0, 1};
  return geometry;
}

TEST(SliceView, AxialShowsLeftOnTheRightAndAnteriorOnTop) {
  const SliceView view = ViewOfPlane(Lps(), Plane::kAxial);
  EXPECT_EQ(view.VoxelAt(29, 0, 0), (Index3{{0, 0, 0}}));
  EXPECT_EQ(view.VoxelAt(29, 0, 9), (Index3{{0, 0, 9}}));
  EXPECT_EQ(view.VoxelAt(29, 19, 0), (Index3{{0, 19, 0}}));
  EXPECT_EQ(view.columns.spacing_mm, 1);
  EXPECT_EQ(view.rows.spacing_mm, 2);
}

TEST(SliceView, CoronalShowsTheHeadUp) {
  const SliceView view = ViewOfPlane(Lps(), Plane::kCoronal);
  EXPECT_EQ(view.VoxelAt(5, 0, 0), (Index3{{29, 5, 0}}));
  EXPECT_EQ(view.VoxelAt(5, 29, 9), (Index3{{0, 5, 9}}));
}

TEST(SliceView, SagittalShowsAnteriorOnTheLeft) {
  const SliceView view = ViewOfPlane(Lps(), Plane::kSagittal);
  EXPECT_EQ(view.VoxelAt(4, 0, 0), (Index3{{29, 0, 4}}));
  EXPECT_EQ(view.VoxelAt(4, 29, 19), (Index3{{0, 19, 4}}));
}

TEST(SliceView, AFileStoredTheOtherWayLooksTheSame) {
  const SliceView view = ViewOfPlane(Ras(), Plane::kAxial);
  // Top left is the patient's right and anterior: the highest x and y of this file.
  EXPECT_EQ(view.VoxelAt(29, 0, 0), (Index3{{0, 19, 9}}));
}

TEST(SliceView, PermutedAxesAreFollowed) {
  Geometry geometry = Lps();
  geometry.direction = {0, 0, 1, 1, 0, 0, 0, 1, 0};  // x posterior, y superior, z left
  const SliceView view = ViewOfPlane(geometry, Plane::kAxial);
  EXPECT_EQ(view.columns.length, 30);
  EXPECT_EQ(view.rows.length, 10);
  EXPECT_EQ(view.VoxelAt(0, 3, 7), (Index3{{7, 19, 3}}));
}

TEST(SliceView, ObliqueImagesTakeTheNearestAxes) {
  const SliceView view = ViewOfPlane(ObliqueGeometry(), Plane::kAxial);
  EXPECT_EQ(view.columns.array_axis, 2);
  EXPECT_EQ(view.rows.array_axis, 1);
  EXPECT_EQ(view.slices.array_axis, 0);
}

TEST(ChooseSlices, EveryChosenSliceShowsLabels) {
  Volume<uint16_t> labels = Volume<uint16_t>::Filled(1, Lps().shape(), 0);
  for (const int64_t z : {3, 4, 20, 21}) labels.at(0, {{z, 5, 5}}) = 1;
  // Slices count from the top of the head: array index 29 is slice 0.
  EXPECT_THAT(ChooseSlices(labels, ViewOfPlane(Lps(), Plane::kAxial), 4),
              ElementsAre(8, 9, 25, 26));
  EXPECT_THAT(ChooseSlices(labels, ViewOfPlane(Lps(), Plane::kSagittal), 2), ElementsAre(5, 5));
}

TEST(ChooseSlices, WithoutLabelsTheyAreEvenlySpaced) {
  const Volume<uint16_t> labels = Volume<uint16_t>::Filled(1, Lps().shape(), 0);
  EXPECT_THAT(ChooseSlices(labels, ViewOfPlane(Lps(), Plane::kCoronal), 4),
              ElementsAre(2, 7, 12, 17));
}

}  // namespace
}  // namespace nnseg
