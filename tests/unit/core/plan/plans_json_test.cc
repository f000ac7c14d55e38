#include "core/plan/plans_json.h"

#include <functional>
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

absl::StatusOr<SegmentationPlan> Parse(const ordered_json& plans,
                                       const ordered_json& dataset = UsualDataset(),
                                       const std::string& configuration = "3d_fullres") {
  return ParseSegmentationPlan(plans.dump(), dataset.dump(), configuration);
}

ordered_json& FullRes(ordered_json& plans) { return plans["configurations"]["3d_fullres"]; }

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

/// One defect of otherwise good documents.
struct Refusal {
  std::string name;
  std::function<void(ordered_json& plans, ordered_json& dataset)> spoil;
  absl::StatusCode code;
  std::string text;
};

void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

class PlansJsonRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(PlansJsonRefusal, NamesFileAndKey) {
  ordered_json plans = UsualPlans();
  ordered_json dataset = UsualDataset();
  GetParam().spoil(plans, dataset);
  EXPECT_THAT(Parse(plans, dataset), StatusIs(GetParam().code, HasSubstr(GetParam().text)));
}

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;

Refusal InFullRes(const std::string& name, const std::string& key, const ordered_json& value,
                  absl::StatusCode code, const std::string& text) {
  return {name, [key, value](ordered_json& plans, ordered_json&) { FullRes(plans)[key] = value; },
          code, "plans.json: configurations.3d_fullres." + text};
}

Refusal InPlans(const std::string& name, const std::string& key, const ordered_json& value,
                absl::StatusCode code, const std::string& text) {
  return {name, [key, value](ordered_json& plans, ordered_json&) { plans[key] = value; }, code,
          "plans.json: " + text};
}

Refusal InDataset(const std::string& name, const std::string& key, const ordered_json& value,
                  absl::StatusCode code, const std::string& text) {
  return {name, [key, value](ordered_json&, ordered_json& dataset) { dataset[key] = value; }, code,
          "dataset.json: " + text};
}

Refusal Without(const std::string& key) {
  return {"Without_" + key,
          [key](ordered_json& plans, ordered_json& dataset) {
            FullRes(plans).erase(key);
            plans.erase(key);
            dataset.erase(key);
          },
          kInvalid, key + " is missing"};
}

std::string NameOf(const testing::TestParamInfo<Refusal>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    NotServed, PlansJsonRefusal,
    testing::Values(
        InFullRes("UnknownResampler", "resampling_fn_probabilities", "mine", kUnimplemented,
                  "resampling_fn_probabilities is \"mine\", expected one of "
                  "resample_data_or_seg_to_shape, resample_torch_fornnunet, no_resampling_hack"),
        InFullRes("UnknownNormaliser", "normalization_schemes", {"CTNormalization", "Mine"},
                  kUnimplemented, "normalization_schemes.1 is \"Mine\", expected one of ZScore"),
        InFullRes("UnknownPreprocessor", "preprocessor_name", "Mine", kUnimplemented,
                  "preprocessor_name is \"Mine\", expected DefaultPreprocessor"),
        InFullRes("QuadraticSpline", "resampling_fn_data_kwargs", {{"order", 2}}, kUnimplemented,
                  "resampling_fn_data_kwargs.order is 2, expected 0, 1 or 3"),
        InFullRes("OtherThreshold", "resampling_fn_data_kwargs",
                  {{"separate_z_anisotropy_threshold", 2.5}}, kUnimplemented,
                  "resampling_fn_data_kwargs.separate_z_anisotropy_threshold is 2.5, expected 3"),
        InFullRes("ImageAsLabels", "resampling_fn_data_kwargs", {{"is_seg", true}}, kUnimplemented,
                  "resampling_fn_data_kwargs.is_seg is true, expected false"),
        InPlans("UnknownReader", "image_reader_writer", "Mine", kUnimplemented,
                "image_reader_writer is \"Mine\", expected one of SimpleITKIO"),
        InPlans("UnknownLabelManager", "label_manager", "Mine", kUnimplemented,
                "label_manager is \"Mine\", expected LabelManager")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Inconsistent, PlansJsonRefusal,
    testing::Values(
        InFullRes("PatchOfFour", "patch_size", {1, 2, 3, 4}, kInvalid,
                  "patch_size is an array of 4, expected an array of 2 or 3"),
        InFullRes("PatchOfZero", "patch_size", {64, 0, 64}, kInvalid,
                  "patch_size.1 is 0, expected an integer in [1, 16384]"),
        InFullRes("PatchOfFraction", "patch_size", {64, 64, 64.5}, kInvalid, "patch_size.2"),
        InFullRes("HugePatch", "patch_size", {64, 64, 18446744073709551615u}, kInvalid,
                  "patch_size.2 is 18446744073709551615"),
        InFullRes("SpacingOfTwo", "spacing", {1.0, 1.0}, kInvalid, "spacing is an array of 2"),
        InFullRes("PatchOfTwo", "patch_size", {64, 64}, kInvalid,
                  "spacing is an array of 3, expected an array of 2"),
        InFullRes("NegativeSpacing", "spacing", {1.0, -1.0, 1.0}, kInvalid,
                  "spacing.1 is -1.0, expected a number above 0"),
        InFullRes("SpacingInWords", "spacing", {1.0, "1", 1.0}, kInvalid,
                  "spacing.1 is \"1\", expected a finite number"),
        InFullRes("OneSchemeForTwoChannels", "normalization_schemes", {"CTNormalization"}, kInvalid,
                  "normalization_schemes is an array of 1, expected an array of 2"),
        InFullRes("ThreeMasksForTwoChannels", "use_mask_for_norm", {true, true, true}, kInvalid,
                  "use_mask_for_norm is an array of 3"),
        InFullRes("MaskAsNumber", "use_mask_for_norm", {0, 1}, kInvalid,
                  "use_mask_for_norm.0 is 0, expected true or false"),
        InFullRes("SeparateZAsNumber", "resampling_fn_data_kwargs", {{"force_separate_z", 1}},
                  kInvalid, "resampling_fn_data_kwargs.force_separate_z is 1"),
        InFullRes("UnknownArgument", "resampling_fn_data_kwargs", {{"mode", "linear"}}, kInvalid,
                  "resampling_fn_data_kwargs.mode is \"linear\", expected no such argument"),
        InFullRes("ArgumentsForNoResampling", "resampling_fn_data", "no_resampling_hack", kInvalid,
                  "resampling_fn_data_kwargs is an object, expected no arguments"),
        InFullRes("NamelessPreviousStage", "previous_stage", "", kInvalid,
                  "previous_stage is \"\", expected the name of a configuration"),
        InPlans("NoPermutation", "transpose_forward", {0, 0, 1}, kInvalid,
                "transpose_forward is 0, 0, 1, expected a permutation"),
        InPlans("NotTheInverse", "transpose_backward", {0, 1, 2}, kInvalid,
                "transpose_backward does not undo transpose_forward"),
        InPlans("ConfigurationsAsList", "configurations", {1, 2}, kInvalid, "configurations"),
        InDataset("NoChannel", "channel_names", ordered_json::object(), kInvalid,
                  "channel_names is an object, expected at least one channel"),
        InDataset("GapInChannels", "channel_names", {{"0", "CT"}, {"2", "PET"}}, kInvalid,
                  "key channel_names.1 is missing"),
        InDataset("LabelInWords", "labels", {{"background", 0}, {"liver", "1"}}, kInvalid,
                  "labels.liver is \"1\", expected an integer"),
        InDataset("BackgroundAsList", "labels", {{"background", ordered_json::array({0})}},
                  kInvalid, "labels.background is an array of 1"),
        InDataset("NoBackground", "labels", {{"liver", 1}}, kInvalid,
                  "labels: there is no label 'background' = 0"),
        InDataset("RegionsWithoutOrder", "labels",
                  {{"background", 0}, {"whole", {1, 2}}, {"core", 2}}, kInvalid,
                  "labels: there are regions, but no regions_class_order"),
        Refusal{"NoIntensityForAnUnnormalisedChannel",
                [](ordered_json& plans, ordered_json&) {
                  FullRes(plans)["normalization_schemes"][1] = "NoNormalization";
                  plans["foreground_intensity_properties_per_channel"].erase("1");
                },
                kInvalid,
                "plans.json: key foreground_intensity_properties_per_channel.1 is missing"},
        Refusal{"CtWithoutStd",
                [](ordered_json& plans, ordered_json&) {
                  plans["foreground_intensity_properties_per_channel"]["0"].erase("std");
                },
                kInvalid,
                "plans.json: key foreground_intensity_properties_per_channel.0.std is missing"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Missing, PlansJsonRefusal,
    testing::Values(Without("configurations"), Without("image_reader_writer"),
                    Without("transpose_forward"), Without("transpose_backward"),
                    Without("foreground_intensity_properties_per_channel"),
                    Without("preprocessor_name"), Without("patch_size"), Without("spacing"),
                    Without("normalization_schemes"), Without("use_mask_for_norm"),
                    Without("resampling_fn_data"), Without("resampling_fn_data_kwargs"),
                    Without("resampling_fn_probabilities"),
                    Without("resampling_fn_probabilities_kwargs"), Without("channel_names"),
                    Without("labels")),
    NameOf);

TEST(PlansJson, RefusesTextThatIsNoJson) {
  EXPECT_THAT(ParseSegmentationPlan("{\"configurations\": ", "{}", "3d_fullres"),
              StatusIs(kInvalid, "plans.json is no valid JSON"));
  EXPECT_THAT(ParseSegmentationPlan(UsualPlans().dump(), "[]", "3d_fullres"),
              StatusIs(kInvalid, "dataset.json is an array of 0, expected an object"));
  EXPECT_THAT(ParseSegmentationPlan("\xff\xfe{}", "{}", "3d_fullres"), StatusIs(kInvalid));
  EXPECT_THAT(ParseSegmentationPlan("", "", ""), StatusIs(kInvalid));
}

TEST(PlansJson, RefusesDeepNestingWithoutExhaustingTheStack) {
  const std::string deep = "{\"a\":" + std::string(1000000, '[');
  EXPECT_THAT(ParseSegmentationPlan(deep, "{}", "3d_fullres"),
              StatusIs(kInvalid, "plans.json is nested deeper than 32 levels"));
}

/// Whatever stands at any place of the documents, the answer is a plan or a status.
TEST(PlansJson, SurvivesAnyValueAtAnyPlace) {
  const std::vector<ordered_json> intruders{nullptr,
                                            true,
                                            -1,
                                            1e308,
                                            18446744073709551615u,
                                            "text",
                                            std::string(1000, 'x'),
                                            ordered_json::array(),
                                            ordered_json::object(),
                                            ordered_json::array({nullptr, 1, "a"})};
  int tried = 0;
  for (const bool in_plans : {true, false}) {
    const ordered_json original = in_plans ? UsualPlans() : UsualDataset();
    const ordered_json places = original.flatten();
    for (const auto& [pointer, value] : places.items()) {
      for (ordered_json::json_pointer place(pointer); !place.empty(); place.pop_back()) {
        for (const ordered_json& intruder : intruders) {
          ordered_json spoiled = original;
          spoiled[place] = intruder;
          const absl::StatusOr<SegmentationPlan> plan =
              in_plans ? Parse(spoiled) : Parse(UsualPlans(), spoiled);
          ++tried;
          if (plan.ok()) continue;  // the place is not read
          EXPECT_THAT(plan.status().code(), testing::AnyOf(kInvalid, kUnimplemented)) << pointer;
          EXPECT_LT(plan.status().message().size(), 400u) << pointer;
        }
      }
    }
  }
  EXPECT_GT(tried, 1000);
}

}  // namespace
}  // namespace nnseg
