#include "core/resample/anisotropic.h"

#include "gtest/gtest.h"

namespace nnseg {
namespace {

TEST(ResampledShape, RoundsHalvesToEven) {
  EXPECT_EQ(ResampledShape({{5, 7, 3}}, {{1, 1, 1}}, {{2, 2, 2}}), (Shape3{{2, 4, 2}}));
}

TEST(ResampledShape, DividesSpacingsBeforeItMultiplies) {
  EXPECT_EQ(ResampledShape({{100, 101, 333}}, {{0.7, 0.7, 2.5}}, {{0.8, 0.8, 2.5}}),
            (Shape3{{87, 88, 333}}));
}

TEST(SeparateAxis, NeedsMoreThanThreeTimesTheFinestSpacing) {
  EXPECT_EQ(SeparateAxis(std::nullopt, {{3, 1, 1}}, {{1, 1, 1}}), std::nullopt);
  EXPECT_EQ(SeparateAxis(std::nullopt, {{3.0001, 1, 1}}, {{1, 1, 1}}), 0);
}

TEST(SeparateAxis, ImageDecidesBeforeNetwork) {
  EXPECT_EQ(SeparateAxis(std::nullopt, {{5, 1, 1}}, {{1, 6, 1}}), 0);
  EXPECT_EQ(SeparateAxis(std::nullopt, {{1, 6, 1}}, {{5, 1, 1}}), 1);
  EXPECT_EQ(SeparateAxis(std::nullopt, {{1, 1, 1}}, {{1, 1, 4}}), 2);
}

TEST(SeparateAxis, TwoEquallyCoarseAxesAreNotSeparate) {
  EXPECT_EQ(SeparateAxis(std::nullopt, {{0.24, 1.25, 1.25}}, {{1, 1, 1}}), std::nullopt);
  // The image is anisotropic, so the network's grid is not asked.
  EXPECT_EQ(SeparateAxis(std::nullopt, {{0.24, 1.25, 1.25}}, {{5, 1, 1}}), std::nullopt);
}

TEST(SeparateAxis, ForcingTakesTheCoarsestAxisIfThereIsOne) {
  EXPECT_EQ(SeparateAxis(true, {{1, 1.1, 1}}, {{9, 1, 1}}), 1);
  EXPECT_EQ(SeparateAxis(true, {{1, 1, 1}}, {{9, 1, 1}}), std::nullopt);
  EXPECT_EQ(SeparateAxis(false, {{9, 1, 1}}, {{9, 1, 1}}), std::nullopt);
}

}  // namespace
}  // namespace nnseg
