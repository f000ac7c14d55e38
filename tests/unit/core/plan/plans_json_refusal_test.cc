#include <functional>
#include <string>
#include <vector>

#include "core/plan/plans_json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/plan/plan_documents.h"

namespace nnseg {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;

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
