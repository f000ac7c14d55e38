#include "core/plan/postprocessing_rules.h"

#include <nlohmann/json.hpp>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr char kFunction[] = "remove_all_but_largest_component_from_segmentation";

/// postprocessing.json with one step of these arguments.
ordered_json OneStep(const ordered_json& arguments) {
  return {{"input_folder", {{"foreground_mean", ordered_json::object()}}},
          {"postprocessed", {{"foreground_mean", ordered_json::object()}}},
          {"postprocessing_fns", ordered_json::array({kFunction})},
          {"postprocessing_kwargs", ordered_json::array({arguments})}};
}

TEST(PostprocessingRules, StepsKeepTheirOrder) {
  ordered_json document = OneStep({{"labels_or_regions", {1, 2, 3, 4}}});
  document["postprocessing_fns"].push_back(kFunction);
  document["postprocessing_kwargs"].push_back({{"labels_or_regions", 4}});
  const auto rules = ParsePostprocessingRules(document.dump());
  NNSEG_ASSERT_OK(rules);
  ASSERT_THAT(*rules, SizeIs(2));
  EXPECT_THAT((*rules)[0].labels, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT((*rules)[1].labels, ElementsAre(4));
  EXPECT_EQ((*rules)[0].background, 0);
}

TEST(PostprocessingRules, RegionsMeanTheUnionOfTheirLabels) {
  const auto rules = ParsePostprocessingRules(
      OneStep({{"labels_or_regions", {{3, 1, 2}, {2, 3}, 7}}, {"background_label", 5}}).dump());
  NNSEG_ASSERT_OK(rules);
  EXPECT_THAT((*rules)[0].labels, ElementsAre(1, 2, 3, 7));
  EXPECT_EQ((*rules)[0].background, 5);
}

TEST(PostprocessingRules, ThereMayBeNone) {
  const auto rules =
      ParsePostprocessingRules(R"({"postprocessing_fns": [], "postprocessing_kwargs": []})");
  NNSEG_ASSERT_OK(rules);
  EXPECT_THAT(*rules, SizeIs(0));
}

TEST(PostprocessingRules, AnotherFunctionIsNotServed) {
  ordered_json document = OneStep({{"labels_or_regions", 1}});
  document["postprocessing_fns"][0] = "fill_holes";
  EXPECT_THAT(ParsePostprocessingRules(document.dump()),
              StatusIs(absl::StatusCode::kUnimplemented,
                       HasSubstr("postprocessing.json: postprocessing_fns.0 is \"fill_holes\", "
                                 "expected remove_all_but_largest_component")));
}

TEST(PostprocessingRules, EveryFunctionNeedsItsArguments) {
  ordered_json document = OneStep({{"labels_or_regions", 1}});
  document["postprocessing_fns"].push_back(kFunction);
  EXPECT_THAT(ParsePostprocessingRules(document.dump()),
              StatusIs(kInvalid, HasSubstr("postprocessing_kwargs is an array of 1, expected an "
                                           "array of 2")));
  for (const char* key : {"postprocessing_fns", "postprocessing_kwargs"}) {
    ordered_json incomplete = OneStep({{"labels_or_regions", 1}});
    incomplete.erase(key);
    EXPECT_THAT(ParsePostprocessingRules(incomplete.dump()),
                StatusIs(kInvalid, HasSubstr(std::string("key ") + key + " is missing")));
  }
}

TEST(PostprocessingRules, RefusesArgumentsWithoutSense) {
  const auto refusal = [](const ordered_json& arguments) {
    return ParsePostprocessingRules(OneStep(arguments).dump());
  };
  EXPECT_THAT(refusal({{"labels_or_regions", {1, 0}}}),
              StatusIs(kInvalid, HasSubstr("0.labels_or_regions.1 is 0, expected an integer in "
                                           "[1, 65535]")));
  EXPECT_THAT(refusal({{"labels_or_regions", "1"}}), StatusIs(kInvalid, HasSubstr("is \"1\"")));
  EXPECT_THAT(refusal({{"labels_or_regions", ordered_json::array()}}),
              StatusIs(kInvalid, HasSubstr("expected at least one label")));
  EXPECT_THAT(refusal({{"background_label", 0}}),
              StatusIs(kInvalid, HasSubstr("0.labels_or_regions is missing")));
  EXPECT_THAT(refusal({{"labels_or_regions", 1}, {"background_label", 65536}}),
              StatusIs(kInvalid, HasSubstr("0.background_label is 65536")));
  EXPECT_THAT(refusal({{"labels_or_regions", 1}, {"connectivity", 6}}),
              StatusIs(kInvalid, HasSubstr("0.connectivity is 6, expected no such argument")));
}

TEST(PostprocessingRules, RefusesTextThatIsNoJson) {
  EXPECT_THAT(ParsePostprocessingRules("["),
              StatusIs(kInvalid, "postprocessing.json is no valid JSON"));
}

}  // namespace
}  // namespace nnseg
