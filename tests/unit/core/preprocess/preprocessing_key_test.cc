#include "core/preprocess/preprocessing_key.h"

#include <cmath>
#include <functional>
#include <vector>

#include "gtest/gtest.h"

namespace nnseg {
namespace {

SegmentationPlan Plan() {
  SegmentationPlan plan;
  plan.spacing = {{1, 0.1, 2}};
  plan.channels = {{"CT", Normalization::kCt, false, {.mean = 40, .std = 10}},
                   {"PET", Normalization::kZScore, false, {}}};
  return plan;
}

TEST(PreprocessingKey, DiffersByAllThatPreprocessingReads) {
  const std::vector<std::function<void(SegmentationPlan&)>> changes{
      [](auto& plan) {
        plan.transpose_forward = AxisPermutation::Create({0, 2, 1}).value();
      },
      [](auto& plan) { plan.patch_dimensions = 2; },
      [](auto& plan) { plan.spacing[1] = std::nextafter(0.1, 1); },
      [](auto& plan) { plan.image_resampling.resampler = Resampler::kTorch; },
      [](auto& plan) { plan.image_resampling.order = 1; },
      [](auto& plan) { plan.image_resampling.order_z = 1; },
      [](auto& plan) { plan.image_resampling.force_separate_z = std::nullopt; },
      [](auto& plan) { plan.image_resampling.force_separate_z = true; },
      [](auto& plan) { plan.channels.pop_back(); },
      [](auto& plan) { std::swap(plan.channels[0], plan.channels[1]); },
      [](auto& plan) { plan.channels[0].normalization = Normalization::kNone; },
      [](auto& plan) { plan.channels[1].use_mask = true; },
      [](auto& plan) { plan.channels[0].intensity.mean = 41; },
      [](auto& plan) { plan.channels[0].intensity.std = 11; },
      [](auto& plan) { plan.channels[0].intensity.percentile_00_5 = -1; },
      [](auto& plan) { plan.channels[0].intensity.percentile_99_5 = 1e-300; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    SegmentationPlan changed = Plan();
    changes[i](changed);
    EXPECT_NE(PreprocessingKey(changed), PreprocessingKey(Plan())) << i;
  }
}

TEST(PreprocessingKey, IsSharedByPlansThatDifferElsewhere) {
  SegmentationPlan other = Plan();
  other.configuration = "3d_lowres";
  other.patch_size = {{8, 8, 8}};
  other.logits_resampling.order = 1;
  other.channels[0].name = std::string("other");
  EXPECT_EQ(PreprocessingKey(other), PreprocessingKey(Plan()));
}

}  // namespace
}  // namespace nnseg
