#include "core/resample/axis_operator.h"

#include <vector>

#include "core/resample/spline_prefilter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nnseg {
namespace {

using testing::ElementsAre;

std::vector<int64_t> Nearest(int64_t input, int64_t output) {
  const AxisOperator axis = AxisOperator::Resize(input, output, 0);
  EXPECT_EQ(axis.taps(), 1);
  EXPECT_EQ(axis.output_length(), output);
  std::vector<int64_t> indices;
  for (int64_t k = 0; k < output; ++k) {
    indices.push_back(axis.indices(k)[0]);
    EXPECT_EQ(axis.weights(k)[0], 1);
  }
  return indices;
}

TEST(AxisOperator, NearestTakesHalvesUp) {
  EXPECT_THAT(Nearest(5, 3), ElementsAre(0, 2, 4));
  EXPECT_THAT(Nearest(5, 8), ElementsAre(0, 0, 1, 2, 2, 3, 4, 4));
  EXPECT_THAT(Nearest(5, 10), ElementsAre(0, 0, 1, 1, 2, 2, 3, 3, 4, 4));
  EXPECT_THAT(Nearest(6, 3), ElementsAre(1, 3, 5));
  EXPECT_THAT(Nearest(2, 3), ElementsAre(0, 1, 1));
}

TEST(AxisOperator, IdentityReadsEachSampleOnce) {
  const AxisOperator axis = AxisOperator::Identity(3);
  EXPECT_EQ(axis.taps(), 1);
  for (int64_t k = 0; k < 3; ++k) {
    EXPECT_EQ(axis.indices(k)[0], k);
    EXPECT_EQ(axis.weights(k)[0], 1);
  }
}

TEST(AxisOperator, LinearTapsAreClampedToTheAxis) {
  const AxisOperator axis = AxisOperator::Resize(2, 4, 1);
  EXPECT_THAT(axis.indices(0), ElementsAre(0, 0));  // coordinate -0.25
  EXPECT_THAT(axis.weights(0), ElementsAre(0.25, 0.75));
  EXPECT_THAT(axis.indices(1), ElementsAre(0, 1));  // coordinate 0.25
  EXPECT_THAT(axis.weights(1), ElementsAre(0.75, 0.25));
  EXPECT_THAT(axis.indices(3), ElementsAre(1, 1));  // coordinate 1.25
}

TEST(AxisOperator, LinearWithoutChangeIsTheIdentity) {
  EXPECT_EQ(AxisOperator::Resize(7, 7, 1).taps(), 1);
}

TEST(AxisOperator, CubicTapsStayWithinTheMargin) {
  for (const int64_t input : {1, 2, 5, 40}) {
    for (const int64_t output : {1, 2, 3, 7, 40, 97}) {
      const AxisOperator axis = AxisOperator::Resize(input, output, 3);
      ASSERT_EQ(axis.taps(), 4);
      for (int64_t k = 0; k < output; ++k) {
        EXPECT_GE(axis.indices(k)[0], 0);
        EXPECT_EQ(axis.indices(k)[3], axis.indices(k)[0] + 3);
        EXPECT_LT(axis.indices(k)[3], input + 2 * kSplineMargin);
      }
    }
  }
}

TEST(AxisOperator, CubicWeightsAtASampleAreThoseOfTheBSpline) {
  const AxisOperator axis = AxisOperator::Resize(3, 3, 3);
  EXPECT_THAT(axis.indices(1), ElementsAre(2, 3, 4, 5));  // sample 1 lies at 1 + kSplineMargin
  EXPECT_DOUBLE_EQ(axis.weights(1)[0], 1.0 / 6);
  EXPECT_DOUBLE_EQ(axis.weights(1)[1], 4.0 / 6);
  EXPECT_DOUBLE_EQ(axis.weights(1)[2], 1.0 / 6);
  EXPECT_NEAR(axis.weights(1)[3], 0, 1e-15);
}

}  // namespace
}  // namespace nnseg
