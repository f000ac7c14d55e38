#include "core/resample/torch_axis.h"

#include "core/resample/axis_operator.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nnseg {
namespace {

using testing::Each;
using testing::ElementsAre;

TEST(TorchAxis, LinearStepsBetweenNeighboursAndStopsAtTheEdges) {
  const TorchAxis axis = TorchAxis::Linear(2, 4, /*fused=*/false);
  EXPECT_FALSE(axis.picks);
  EXPECT_THAT(axis.lower, ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(axis.upper, ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(axis.weight0, ElementsAre(1, 0.75F, 0.25F, 0.75F));
  EXPECT_THAT(axis.weight1, ElementsAre(0, 0.25F, 0.75F, 0.25F));
}

TEST(TorchAxis, EqualLengthsPickEachSample) {
  const TorchAxis axis = TorchAxis::Linear(3, 3, /*fused=*/true);
  EXPECT_TRUE(axis.picks);
  EXPECT_THAT(axis.lower, ElementsAre(0, 1, 2));
  EXPECT_EQ(axis.upper, axis.lower);
  EXPECT_THAT(axis.weight0, Each(1));
  EXPECT_THAT(axis.weight1, Each(0));
}

TEST(TorchAxis, NearestExactTakesHalvesUp) {
  EXPECT_THAT(TorchAxis::NearestExact(6, 3).lower, ElementsAre(1, 3, 5));
  EXPECT_THAT(TorchAxis::NearestExact(2, 3).lower, ElementsAre(0, 1, 1));
}

TEST(TorchAxis, NearestExactRoundsInFloatAndSoMayTakeAnotherSampleThanASpline) {
  // The middle one of 49 samples lies between the two.
  EXPECT_EQ(TorchAxis::NearestExact(2, 49).lower[24], 1);
  EXPECT_EQ(AxisOperator::Resize(2, 49, 0).indices(24)[0], 0);
}

TEST(TorchAxis, FusedCoordinatesRoundOnce) {
  const TorchAxis twice = TorchAxis::Linear(4, 6, /*fused=*/false);
  const TorchAxis once = TorchAxis::Linear(4, 6, /*fused=*/true);
  EXPECT_EQ(twice.lower, once.lower);
  EXPECT_NE(twice.weight1, once.weight1);
}

TEST(TorchBilinear, SumsWholeVectorsAndTheRestInDifferentOrders) {
  // 1 is lost beside 1e8 unless the two large values have cancelled before it is added.
  const TorchQuad one{1, 1, 1, 1};
  EXPECT_EQ(TorchBilinear({1, 1e8F, -1e8F, 0}, one, /*whole_vector=*/true), 1);
  EXPECT_EQ(TorchBilinear({1, 1e8F, -1e8F, 0}, one, /*whole_vector=*/false), 0);
}

}  // namespace
}  // namespace nnseg
