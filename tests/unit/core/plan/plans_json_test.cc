#include "core/plan/plans_json.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/plan/plan_documents.h"

namespace nnseg {
namespace {

using nlohmann::ordered_json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// A cascade's plans whose resampling functions are `function` with the arguments `values` for
/// images and probabilities and `labels` for labels.
ordered_json PlansOfResampler(const std::string& function, const ordered_json& values,
                              const ordered_json& labels) {
  ordered_json plans = UsualPlans();
  for (const char* key :
       {"resampling_fn_data", "resampling_fn_seg", "resampling_fn_probabilities"}) {
    FullRes(plans)[key] = function;
    FullRes(plans)[std::string(key) + "_kwargs"] = values;
  }
  FullRes(plans)["resampling_fn_seg_kwargs"] = labels;
  FullRes(plans)["previous_stage"] = "3d_lowres";
  return plans;
}

TEST(PlansJson, ReadsTheUsualForm) {
  const absl::StatusOr<SegmentationPlan> plan = Parse(UsualPlans());
  NNSEG_ASSERT_OK(plan);
  EXPECT_EQ(plan->configuration, "3d_fullres");
  EXPECT_EQ(plan->image_reader_writer, "SimpleITKIO");
  EXPECT_EQ(plan->transpose_forward, *AxisPermutation::Create({2, 0, 1}));
  EXPECT_THAT(plan->spacing, ElementsAre(3.0, 0.8, 0.75));
  EXPECT_EQ(plan->patch_size, (Shape3{{64, 96, 128}}));
  ASSERT_EQ(plan->channels.size(), 2u);
  EXPECT_EQ(plan->channels[0].name, "CT");
  EXPECT_EQ(plan->channels[0].normalization, Normalization::kCt);
  EXPECT_FALSE(plan->channels[0].use_mask);
  EXPECT_EQ(plan->channels[0].intensity.mean, 99.5);
  EXPECT_EQ(plan->channels[0].intensity.std, 80.25);
  EXPECT_EQ(plan->channels[0].intensity.percentile_00_5, -50);
  EXPECT_EQ(plan->channels[0].intensity.percentile_99_5, 250);
  EXPECT_EQ(plan->channels[1].name, "PET");
  EXPECT_EQ(plan->channels[1].normalization, Normalization::kZScore);
  EXPECT_TRUE(plan->channels[1].use_mask);
  EXPECT_EQ(plan->image_resampling.resampler, Resampler::kSpline);
  EXPECT_EQ(plan->image_resampling.order, 3);
  EXPECT_EQ(plan->image_resampling.order_z, 0);
  EXPECT_EQ(plan->image_resampling.force_separate_z, std::nullopt);
  EXPECT_EQ(plan->logits_resampling.order, 1);
  EXPECT_THAT(plan->labels.foreground_labels(), ElementsAre(1, 2));
  EXPECT_EQ(plan->labels.output_channels(), 3);
}

TEST(PlansJson, ReadsEveryNormalization) {
  const std::vector<std::pair<std::string, Normalization>> schemes{
      {"ZScoreNormalization", Normalization::kZScore},
      {"CTNormalization", Normalization::kCt},
      {"NoNormalization", Normalization::kNone},
      {"RescaleTo01Normalization", Normalization::kRescaleTo01},
      {"RGBTo01Normalization", Normalization::kRgbTo01}};
  for (const auto& [name, expected] : schemes) {
    ordered_json plans = UsualPlans();
    FullRes(plans)["normalization_schemes"][1] = name;
    const absl::StatusOr<SegmentationPlan> plan = Parse(plans);
    NNSEG_ASSERT_OK(plan) << name;
    EXPECT_EQ(plan->channels[1].normalization, expected) << name;
  }
}

TEST(PlansJson, InheritanceIsRecursiveAndTheNearestKeyWins) {
  ordered_json plans = UsualPlans();
  plans["configurations"]["small"] = {
      {"inherits_from", "3d_fullres"}, {"patch_size", {32, 32, 32}}, {"spacing", {2.0, 2.0, 2.0}}};
  plans["configurations"]["smaller"] = {{"inherits_from", "small"}, {"patch_size", {16, 16, 16}}};
  const absl::StatusOr<SegmentationPlan> plan = Parse(plans, UsualDataset(), "smaller");
  NNSEG_ASSERT_OK(plan);
  EXPECT_EQ(plan->patch_size, (Shape3{{16, 16, 16}}));
  EXPECT_THAT(plan->spacing, ElementsAre(2.0, 2.0, 2.0));
  EXPECT_EQ(plan->channels[1].normalization, Normalization::kZScore);
}

TEST(PlansJson, InheritanceReplacesObjectsWhole) {
  ordered_json plans = UsualPlans();
  plans["configurations"]["child"] = {{"inherits_from", "3d_fullres"},
                                      {"resampling_fn_data_kwargs", {{"order", 1}}}};
  const absl::StatusOr<SegmentationPlan> plan = Parse(plans, UsualDataset(), "child");
  NNSEG_ASSERT_OK(plan);
  EXPECT_EQ(plan->image_resampling.order, 1);
  EXPECT_EQ(plan->image_resampling.force_separate_z, false)
      << "the parent's null must not shine through";
}

TEST(PlansJson, RefusesCircularInheritance) {
  ordered_json plans = UsualPlans();
  FullRes(plans)["inherits_from"] = "other";
  plans["configurations"]["other"] = {{"inherits_from", "3d_fullres"}};
  EXPECT_THAT(Parse(plans),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("plans.json: configurations.other.inherits_from "
                                 "closes a circle: 3d_fullres -> other -> 3d_fullres")));
}

TEST(PlansJson, RefusesAnUnknownParent) {
  ordered_json plans = UsualPlans();
  FullRes(plans)["inherits_from"] = "nowhere";
  EXPECT_THAT(Parse(plans), StatusIs(absl::StatusCode::kInvalidArgument,
                                     AllOf(HasSubstr("configurations.3d_fullres.inherits_from"),
                                           HasSubstr("'nowhere'"))));
}

TEST(PlansJson, RefusesAnUnknownConfiguration) {
  EXPECT_THAT(Parse(UsualPlans(), UsualDataset(), "3d_lowres"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'3d_lowres'")));
}

TEST(PlansJson, ReadsLegacyPlansWithoutArchitecture) {
  ordered_json plans = UsualPlans();
  FullRes(plans).erase("architecture");
  FullRes(plans)["UNet_class_name"] = "PlainConvUNet";
  FullRes(plans)["UNet_base_num_features"] = 32;
  NNSEG_EXPECT_OK(Parse(plans));
}

TEST(PlansJson, ReadsLegacyKeyNames) {
  ordered_json plans = UsualPlans();
  plans["foreground_intensity_properties_by_modality"] =
      plans["foreground_intensity_properties_per_channel"];
  plans.erase("foreground_intensity_properties_per_channel");
  plans.erase("label_manager");
  ordered_json dataset = UsualDataset();
  dataset["modality"] = {{"0", "old CT"}, {"1", "old PET"}};  // wins over channel_names
  const absl::StatusOr<SegmentationPlan> plan = Parse(plans, dataset);
  NNSEG_ASSERT_OK(plan);
  EXPECT_EQ(plan->channels[0].intensity.mean, 99.5);
  EXPECT_EQ(plan->channels[1].name, "old PET");
}

TEST(PlansJson, TheModernIntensityKeyWins) {
  ordered_json plans = UsualPlans();
  plans["foreground_intensity_properties_by_modality"] = ordered_json::object();
  NNSEG_EXPECT_OK(Parse(plans));
}

TEST(PlansJson, MissingResamplingArgumentsTakeTheFunctionsDefaults) {
  ordered_json plans = UsualPlans();
  FullRes(plans)["resampling_fn_probabilities_kwargs"] = ordered_json::object();
  const absl::StatusOr<SegmentationPlan> plan = Parse(plans);
  NNSEG_ASSERT_OK(plan);
  EXPECT_EQ(plan->logits_resampling.order, 3);
  EXPECT_EQ(plan->logits_resampling.order_z, 0);
  EXPECT_EQ(plan->logits_resampling.force_separate_z, false);
}

TEST(PlansJson, ForceSeparateZMayBeNullOrABoolean) {
  for (const auto& [value, expected] : std::vector<std::pair<ordered_json, std::optional<bool>>>{
           {nullptr, std::nullopt}, {true, true}, {false, false}}) {
    ordered_json plans = UsualPlans();
    FullRes(plans)["resampling_fn_data_kwargs"]["force_separate_z"] = value;
    const absl::StatusOr<SegmentationPlan> plan = Parse(plans);
    NNSEG_ASSERT_OK(plan);
    EXPECT_EQ(plan->image_resampling.force_separate_z, expected) << value;
  }
}

TEST(PlansJson, ReadsTheNoResamplingPlanners) {
  const absl::StatusOr<SegmentationPlan> plan =
      Parse(PlansOfResampler("no_resampling_hack", ordered_json::object(), ordered_json::object()));
  NNSEG_ASSERT_OK(plan);
  EXPECT_EQ(plan->image_resampling.resampler, Resampler::kNone);
  EXPECT_EQ(plan->labels_resampling.resampler, Resampler::kNone);
  EXPECT_EQ(plan->logits_resampling.resampler, Resampler::kNone);
}

TEST(PlansJson, TwoDimensionsAreTheLastInternalAxes) {
  ordered_json plans = UsualPlans();
  FullRes(plans)["patch_size"] = {512, 448};
  FullRes(plans)["spacing"] = {0.7, 0.8};
  const absl::StatusOr<SegmentationPlan> plan = Parse(plans);
  NNSEG_ASSERT_OK(plan);
  EXPECT_EQ(plan->patch_dimensions, 2);
  EXPECT_EQ(plan->patch_size, (Shape3{{1, 512, 448}}));
  EXPECT_THAT(plan->spacing, ElementsAre(0, 0.7, 0.8));
  EXPECT_EQ(Parse(UsualPlans())->patch_dimensions, 3);
}

TEST(PlansJson, ReadsEveryReader) {
  for (const char* reader : {"SimpleITKIO", "SimpleITKIOWithReorient", "NibabelIO",
                             "NibabelIOWithReorient", "NaturalImage2DIO", "Tiff3DIO"}) {
    ordered_json plans = UsualPlans();
    plans["image_reader_writer"] = reader;
    const absl::StatusOr<SegmentationPlan> plan = Parse(plans);
    NNSEG_ASSERT_OK(plan) << reader;
    EXPECT_EQ(plan->image_reader_writer, reader);
  }
}

TEST(PlansJson, RegionsAreChannels) {
  ordered_json dataset = UsualDataset();
  dataset["labels"] = {
      {"background", 0}, {"whole", {1, 2, 3}}, {"core", {2, 3}}, {"et", 3}, {"ignore", 4}};
  dataset["regions_class_order"] = {1, 2, 3};
  const absl::StatusOr<SegmentationPlan> plan = Parse(UsualPlans(), dataset);
  NNSEG_ASSERT_OK(plan);
  EXPECT_TRUE(plan->labels.has_regions());
  EXPECT_EQ(plan->labels.output_channels(), 3);
  EXPECT_THAT(plan->labels.regions_class_order(), ElementsAre(1, 2, 3));
}

TEST(PlansJson, ACascadeKnowsItsPreviousStage) {
  ordered_json plans = UsualPlans();
  plans["configurations"]["3d_cascade_fullres"] = {{"inherits_from", "3d_fullres"},
                                                   {"previous_stage", "3d_lowres"}};
  const absl::StatusOr<SegmentationPlan> plan = Parse(plans, UsualDataset(), "3d_cascade_fullres");
  NNSEG_ASSERT_OK(plan);
  EXPECT_TRUE(plan->is_cascade());
  EXPECT_EQ(plan->previous_stage, "3d_lowres");
  EXPECT_EQ(plan->labels_resampling.resampler, Resampler::kSpline);
  EXPECT_EQ(plan->labels_resampling.order, 1);
  EXPECT_EQ(plan->labels_resampling.force_separate_z, std::nullopt);
  EXPECT_FALSE(Parse(plans)->is_cascade());
  FullRes(plans)["previous_stage"] = nullptr;
  EXPECT_FALSE(Parse(plans)->is_cascade());
}

TEST(PlansJson, ReadsTheTorchPlanners) {
  const auto kwargs = [](bool is_seg, const ordered_json& separate_z, bool frugal) {
    return ordered_json{{"is_seg", is_seg},
                        {"force_separate_z", separate_z},
                        {"memefficient_seg_resampling", frugal}};
  };
  const absl::StatusOr<SegmentationPlan> plan = Parse(PlansOfResampler(
      "resample_torch_fornnunet", kwargs(false, false, false), kwargs(true, nullptr, true)));
  NNSEG_ASSERT_OK(plan);
  for (const ResamplingRule& rule : {plan->image_resampling, plan->logits_resampling}) {
    EXPECT_EQ(rule.resampler, Resampler::kTorch);
    EXPECT_EQ(rule.force_separate_z, false);
    EXPECT_FALSE(rule.memory_efficient_labels);
  }
  EXPECT_EQ(plan->labels_resampling.resampler, Resampler::kTorch);
  EXPECT_EQ(plan->labels_resampling.force_separate_z, std::nullopt);
  EXPECT_TRUE(plan->labels_resampling.memory_efficient_labels);
}

TEST(PlansJson, MissingTorchArgumentsTakeTorchsDefaults) {
  const absl::StatusOr<SegmentationPlan> plan = Parse(
      PlansOfResampler("resample_torch_fornnunet", ordered_json::object(), {{"is_seg", true}}));
  NNSEG_ASSERT_OK(plan);
  EXPECT_EQ(plan->image_resampling.force_separate_z, std::nullopt) << "not the spline's false";
  EXPECT_EQ(plan->labels_resampling.force_separate_z, std::nullopt);
  EXPECT_FALSE(plan->labels_resampling.memory_efficient_labels);
}

TEST(PlansJson, TorchArgumentsMayStateTheirDefaults) {
  NNSEG_EXPECT_OK(Parse(PlansOfResampler("resample_torch_fornnunet",
                                         {{"is_seg", false},
                                          {"num_threads", 8},
                                          {"device", "cpu"},
                                          {"separate_z_anisotropy_threshold", 3},
                                          {"mode", "linear"},
                                          {"aniso_axis_mode", "nearest-exact"}},
                                         {{"is_seg", true}})));
}

TEST(PlansJson, OtherTorchArgumentsAreRefused) {
  constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  struct Argument {
    std::string name;
    ordered_json value;
    absl::StatusCode code;
    std::string text;
  };
  for (const Argument& argument : std::vector<Argument>{
           {"mode", "nearest", kUnimplemented, "mode is \"nearest\", expected linear"},
           {"aniso_axis_mode", "nearest", kUnimplemented,
            "aniso_axis_mode is \"nearest\", expected nearest-exact"},
           {"device", "cuda", kUnimplemented, "device is \"cuda\", expected cpu"},
           {"separate_z_anisotropy_threshold", 2, kUnimplemented,
            "separate_z_anisotropy_threshold is 2, expected 3"},
           {"is_seg", true, kUnimplemented, "is_seg is true, expected false"},
           {"num_threads", 0, kInvalid, "num_threads is 0"},
           {"order", 1, kInvalid,
            "order is 1, expected no such argument of resample_torch_fornnunet"}}) {
    EXPECT_THAT(Parse(PlansOfResampler("resample_torch_fornnunet",
                                       {{argument.name, argument.value}}, {{"is_seg", true}})),
                StatusIs(argument.code, HasSubstr("resampling_fn_data_kwargs." + argument.text)));
  }
}

TEST(PlansJson, LabelsMustBeResampledAsLabels) {
  for (const char* function : {"resample_torch_fornnunet", "resample_data_or_seg_to_shape"}) {
    const ordered_json values{{"is_seg", false}};
    EXPECT_THAT(Parse(PlansOfResampler(function, values, values)),
                StatusIs(absl::StatusCode::kUnimplemented,
                         HasSubstr("resampling_fn_seg_kwargs.is_seg is false, expected true")));
    EXPECT_THAT(Parse(PlansOfResampler(function, values, ordered_json::object())),
                StatusIs(absl::StatusCode::kUnimplemented,
                         HasSubstr("resampling_fn_seg_kwargs is an object, expected one with")));
  }
}

TEST(PlansJson, OnlyACascadeNeedsTheResamplingOfLabels) {
  ordered_json plans = UsualPlans();
  FullRes(plans).erase("resampling_fn_seg");
  NNSEG_EXPECT_OK(Parse(plans));
  FullRes(plans)["previous_stage"] = "3d_lowres";
  EXPECT_THAT(Parse(plans), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr("3d_fullres.resampling_fn_seg is missing")));
}

TEST(PlansJson, DatasetOrderOfLabelsIsKept) {
  ordered_json dataset = UsualDataset();
  dataset["labels"] = {{"zebra", 2}, {"background", 0}, {"ant", 1}, {"ignore", 3}};
  const absl::StatusOr<SegmentationPlan> plan = Parse(UsualPlans(), dataset);
  NNSEG_ASSERT_OK(plan);
  std::vector<std::string> names;
  for (const LabelEntry& entry : plan->labels.entries()) names.push_back(entry.name);
  EXPECT_THAT(names, ElementsAre("zebra", "background", "ant", "ignore"));
  EXPECT_EQ(plan->labels.output_channels(), 3);
}

}  // namespace
}  // namespace nnseg
