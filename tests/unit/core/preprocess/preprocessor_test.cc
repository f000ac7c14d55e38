#include "core/preprocess/preprocessor.h"

#include <cstring>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::AllOf;
using testing::HasSubstr;

SegmentationPlan PlanOf(Spacing3 spacing, std::array<int, 3> transpose = {0, 1, 2}) {
  SegmentationPlan plan;
  plan.spacing = spacing;
  plan.transpose_forward = AxisPermutation::Create(transpose).value();
  plan.channels = {{"T1", Normalization::kNone, false, {}}};
  return plan;
}

SegmentationPlan CascadeOf(Spacing3 spacing) {
  SegmentationPlan plan = PlanOf(spacing);
  plan.previous_stage = "3d_lowres";
  plan.labels_resampling.order = 1;
  plan.labels =
      LabelTable::Create({{"background", {0}}, {"tumour", {1}}, {"edema", {2}}}, {}).value();
  return plan;
}

// One float channel that counts 1, 2, 3, ... in C order.
VoxelBuffer Counting(const Shape3& shape) {
  auto voxels = VoxelBuffer::Allocate(PixelType::kFloat32, 1, shape).value();
  std::vector<float> values(static_cast<std::size_t>(shape.voxels()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i + 1);
  std::memcpy(voxels.bytes().data(), values.data(), voxels.bytes().size());
  return voxels;
}

TEST(Preprocess, RecordsWhatRestoringNeedsInInternalAxes) {
  VoxelBuffer voxels = Counting({{4, 5, 6}});
  std::memset(voxels.bytes().data(), 0, 30 * sizeof(float));  // the first z slice
  const auto prepared = Preprocess(PlanOf({{1, 1, 1.5}}, {2, 0, 1}), voxels, {{1.5, 3, 2}}, nullptr,
                                   CancellationToken());
  NNSEG_ASSERT_OK(prepared);
  const CaseProperties& properties = prepared->properties;
  EXPECT_EQ(properties.spacing, (Spacing3{{2, 1.5, 3}}));
  EXPECT_EQ(properties.shape_before_cropping, (Shape3{{6, 4, 5}}));
  EXPECT_EQ(properties.crop, (Box3{{{0, 1, 0}}, {{6, 4, 5}}}));
  EXPECT_EQ(properties.network_spacing, (Spacing3{{1, 1, 1.5}}));
  EXPECT_EQ(properties.network_shape, (Shape3{{12, 4, 10}}));
  EXPECT_EQ(prepared->image.shape(), properties.network_shape);
}

TEST(Preprocess, OnTheNetworksOwnGridOnlyTransposesAndCrops) {
  const auto prepared = Preprocess(PlanOf({{2, 1, 1.5}}, {2, 0, 1}), Counting({{2, 3, 4}}),
                                   {{1, 1.5, 2}}, nullptr, CancellationToken());
  NNSEG_ASSERT_OK(prepared);
  ASSERT_EQ(prepared->image.shape(), (Shape3{{4, 2, 3}}));
  EXPECT_EQ(prepared->image.at(0, {{3, 1, 2}}), 24);
  EXPECT_EQ(prepared->image.at(0, {{1, 0, 2}}), 1 * 0 + 4 * 2 + 1 + 1);
}

TEST(Preprocess, RefusesAnotherNumberOfChannels) {
  SegmentationPlan plan = PlanOf({{1, 1, 1}});
  plan.channels.resize(2);
  EXPECT_THAT(Preprocess(plan, Counting({{2, 2, 2}}), {{1, 1, 1}}, nullptr, CancellationToken()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("1 channel"), HasSubstr("expected 2"))));
}

TEST(Preprocess, RefusesVoxelsThatAreNotFinite) {
  VoxelBuffer voxels = Counting({{2, 2, 2}});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(voxels.bytes().data() + 5 * sizeof nan, &nan, sizeof nan);
  EXPECT_THAT(Preprocess(PlanOf({{1, 1, 1}}), voxels, {{1, 1, 1}}, nullptr, CancellationToken()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("(1, 0, 1)")));
}

TEST(Preprocess, RefusesAnImageThatVanishesOnTheNetworksGrid) {
  EXPECT_THAT(Preprocess(PlanOf({{1, 1, 1}}), Counting({{1, 4, 4}}), {{0.5, 1, 1}}, nullptr,
                         CancellationToken()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("axis 0"), HasSubstr("expected 1 to"))));
}

TEST(Preprocess, StopsWhenTheCaseIsCancelled) {
  const CancellationToken token;
  token.Cancel();
  EXPECT_THAT(Preprocess(PlanOf({{1, 1, 1}}), Counting({{2, 2, 2}}), {{1, 1, 1}}, nullptr, token),
              StatusIs(absl::StatusCode::kCancelled));
}

TEST(Preprocess, LeavesTheFirstAxisOfA2dConfigurationAsItIs) {
  SegmentationPlan plan = PlanOf({{0, 1, 0.5}}, {1, 0, 2});
  plan.patch_dimensions = 2;
  const auto prepared =
      Preprocess(plan, Counting({{4, 3, 5}}), {{2, 7.5, 1}}, nullptr, CancellationToken());
  NNSEG_ASSERT_OK(prepared);
  EXPECT_EQ(prepared->properties.network_spacing, (Spacing3{{7.5, 1, 0.5}}));
  EXPECT_EQ(prepared->properties.network_shape, (Shape3{{3, 8, 10}}));
}

TEST(Preprocess, AppendsThePreviousStagesLabelsOneHot) {
  auto labels = Volume<uint16_t>::Filled(1, {{2, 2, 2}}, 0);
  labels.at(0, {{0, 0, 1}}) = 2;
  labels.at(0, {{1, 1, 0}}) = 1;
  const auto prepared = Preprocess(CascadeOf({{1, 1, 1}}), Counting({{2, 2, 2}}), {{1, 1, 1}},
                                   &labels, CancellationToken());
  NNSEG_ASSERT_OK(prepared);
  ASSERT_EQ(prepared->image.channels(), 3);
  EXPECT_THAT(prepared->image.channel(1), testing::ElementsAre(0, 0, 0, 0, 0, 0, 1, 0));
  EXPECT_THAT(prepared->image.channel(2), testing::ElementsAre(0, 1, 0, 0, 0, 0, 0, 0));
}

TEST(Preprocess, RefusesACascadeWithoutItsPreviousLabelsAndOthersWithThem) {
  const auto labels = Volume<uint16_t>::Filled(1, {{2, 2, 2}}, 0);
  EXPECT_THAT(Preprocess(CascadeOf({{1, 1, 1}}), Counting({{2, 2, 2}}), {{1, 1, 1}}, nullptr,
                         CancellationToken()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("missing")));
  EXPECT_THAT(Preprocess(PlanOf({{1, 1, 1}}), Counting({{2, 2, 2}}), {{1, 1, 1}}, &labels,
                         CancellationToken()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no cascade")));
}

TEST(Preprocess, RefusesPreviousLabelsOfAnotherShape) {
  const auto labels = Volume<uint16_t>::Filled(1, {{2, 2, 3}}, 0);
  EXPECT_THAT(
      Preprocess(CascadeOf({{1, 1, 1}}), Counting({{2, 2, 2}}), {{1, 1, 1}}, &labels,
                 CancellationToken()),
      StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("2x2x3"), HasSubstr("2x2x2"))));
}

TEST(Preprocess, RefusesACascadeThatResamplesOnlyTheImage) {
  const auto labels = Volume<uint16_t>::Filled(1, {{2, 2, 2}}, 0);
  SegmentationPlan plan = CascadeOf({{1, 1, 1}});
  plan.labels_resampling = {.resampler = Resampler::kNone};
  EXPECT_THAT(Preprocess(plan, Counting({{2, 2, 2}}), {{2, 2, 2}}, &labels, CancellationToken()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expected both or none")));
}

TEST(NetworkShapeBound, LeavesTheFirstAxisOfA2dConfigurationAsItIs) {
  SegmentationPlan plan = PlanOf({{0, 1, 0.5}});
  plan.patch_dimensions = 2;
  EXPECT_THAT(NetworkShapeBound(plan, {{1, 5, 6}}, {{999, 2, 1}}),
              IsOkAndHolds(Shape3{{1, 10, 12}}));
}

TEST(NetworkShapeBound, IsThatOfTheUncroppedImage) {
  EXPECT_THAT(NetworkShapeBound(PlanOf({{1, 1, 1.5}}, {2, 0, 1}), {{4, 5, 6}}, {{1.5, 3, 2}}),
              IsOkAndHolds(Shape3{{12, 6, 10}}));
}

TEST(NetworkShapeBound, IsTheImagesShapeWithoutResampling) {
  SegmentationPlan plan = PlanOf({{1, 1, 1.5}}, {2, 0, 1});
  plan.image_resampling.resampler = Resampler::kNone;
  EXPECT_THAT(NetworkShapeBound(plan, {{4, 5, 6}}, {{1.5, 3, 2}}), IsOkAndHolds(Shape3{{6, 4, 5}}));
}

TEST(NetworkShapeBound, RefusesGridsWithoutMeasure) {
  EXPECT_THAT(NetworkShapeBound(PlanOf({{1e-3, 1, 1}}), {{17, 5, 6}}, {{1, 1, 1}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("17000")));
}

}  // namespace
}  // namespace nnseg
