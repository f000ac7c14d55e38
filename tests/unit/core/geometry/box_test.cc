#include "core/geometry/box.h"

#include "gtest/gtest.h"

namespace nnseg {
namespace {

TEST(Box3, ShapeIsTheDistanceOfItsCorners) {
  const Box3 box{{{1, 2, 3}}, {{4, 6, 8}}};
  EXPECT_EQ(box.shape(), (Shape3{{3, 4, 5}}));
  EXPECT_EQ(box.shape().voxels(), 60);
  EXPECT_FALSE(box.empty());
}

TEST(Box3, IsEmptyWhenAnAxisIs) {
  EXPECT_TRUE((Box3{{{0, 0, 0}}, {{3, 0, 3}}}.empty()));
  EXPECT_TRUE(Box3{}.empty());
}

TEST(Box3, WholeCoversAnArray) {
  const Shape3 shape{{5, 6, 7}};
  EXPECT_EQ(Box3::Whole(shape), (Box3{{{0, 0, 0}}, {{5, 6, 7}}}));
  EXPECT_EQ(Box3::Whole(shape).shape(), shape);
}

TEST(Box3, IntersectionIsWhatTwoBoxesShare) {
  const Box3 a{{{1, 2, 3}}, {{4, 6, 8}}};
  EXPECT_EQ(Intersection(a, {{{3, 0, 7}}, {{9, 9, 9}}}), (Box3{{{3, 2, 7}}, {{4, 6, 8}}}));
  EXPECT_EQ(Intersection(a, a), a);
  EXPECT_TRUE(Intersection(a, {{{4, 2, 3}}, {{5, 6, 8}}}).empty());  // they only touch
}

TEST(Box3, BoundingBoxHoldsBothAndLeavesEmptyOnesOut) {
  const Box3 a{{{1, 2, 3}}, {{4, 6, 8}}};
  EXPECT_EQ(BoundingBox(a, {{{3, 0, 7}}, {{9, 5, 8}}}), (Box3{{{1, 0, 3}}, {{9, 6, 8}}}));
  EXPECT_EQ(BoundingBox(a, {{{0, 0, 0}}, {{0, 9, 9}}}), a);
  EXPECT_EQ(BoundingBox(Box3{}, a), a);
}

TEST(Shape3, StridesAreThoseOfADenseArray) {
  EXPECT_EQ((Shape3{{5, 6, 7}}.strides()), (Index3{{42, 7, 1}}));
  EXPECT_EQ(ToString(Shape3{{5, 6, 7}}), "5x6x7");
}

TEST(Index3, AddsAndSubtractsByAxis) {
  EXPECT_EQ((Index3{{1, 2, 3}} + Index3{{10, 20, 30}}), (Index3{{11, 22, 33}}));
  EXPECT_EQ((Index3{{1, 2, 3}} - Index3{{10, 20, 30}}), (Index3{{-9, -18, -27}}));
}

}  // namespace
}  // namespace nnseg
