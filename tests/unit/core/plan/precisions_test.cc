#include <nlohmann/json.hpp>
#include <string>

#include "core/plan/bundle_manifest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/plan/manifest_refusal.h"

namespace nnseg {
namespace {

using nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;

/// A model of two folds whose bf16 passed and whose int8 did not.
ordered_json UsualManifest() {
  ordered_json manifest = ordered_json::parse(R"({
    "format_version": 1,
    "name": "liver", "version": 3, "created": "2026-01-02T03:04:05Z", "intended_use": "Research.",
    "model": {"dataset_name": "Dataset007_Test", "trainer": "nnUNetTrainer",
              "plans_name": "nnUNetPlans", "configuration": "3d_fullres",
              "checkpoint": "checkpoint_final.pth"},
    "folds": ["0", "1"],
    "mirroring_axes": [0],
    "network_input_channels": 1,
    "network_output_channels": 2,
    "patch_size": [64, 96, 128],
    "expected_memory_bytes": {"weights": 3000, "activations": 700},
    "engines": {
      "torch": {"0": {"file": "fold_0.pt"}, "1": {"file": "fold_1.pt"}},
      "openvino": {"0": {"file": "fold_0.xml"}, "1": {"file": "fold_1.xml"}}
    },
    "precisions": [
      {"engine": "openvino", "precision": "bf16", "passed": true,
       "networks": {"0": "fold_0.xml", "1": "fold_1.xml"},
       "dice": 0.998, "dice_limit": 0.99, "equal_fraction": 0.9998, "equal_fraction_limit": 0.995,
       "volumes": 4, "relative_time": 0.5, "recipe": "the fp32 files"},
      {"engine": "openvino", "precision": "int8", "passed": false, "networks": {},
       "dice": 0.985, "dice_limit": 0.99, "equal_fraction": 0.997, "equal_fraction_limit": 0.995,
       "volumes": 4, "relative_time": 0.3, "recipe": "mixed preset"}
    ],
    "precision_policy": "auto",
    "files": {}
  })");
  for (const char* name : {"plans.json", "dataset.json", "fold_0.pt", "fold_1.pt", "fold_0.xml",
                           "fold_1.xml", "fold_0_int8.xml", "fold_1_int8.xml"}) {
    manifest["files"][name] = {{"sha256", std::string(64, 'a')}, {"size", 12}};
  }
  return manifest;
}

TEST(Precisions, AreReadAsTheExporterWritesThem) {
  const absl::StatusOr<BundleManifest> manifest = ParseBundleManifest(UsualManifest().dump());
  NNSEG_ASSERT_OK(manifest);
  EXPECT_EQ(manifest->precision_policy, "auto");
  ASSERT_THAT(manifest->precisions, SizeIs(2));
  const PrecisionRecord& bf16 = manifest->precisions[0];
  EXPECT_EQ(bf16.engine, "openvino");
  EXPECT_EQ(bf16.precision, "bf16");
  EXPECT_TRUE(bf16.passed);
  EXPECT_THAT(bf16.networks, ElementsAre(Pair("0", "fold_0.xml"), Pair("1", "fold_1.xml")));
  EXPECT_EQ(bf16.dice, 0.998);
  EXPECT_EQ(bf16.dice_limit, 0.99);
  EXPECT_EQ(bf16.equal_fraction, 0.9998);
  EXPECT_EQ(bf16.equal_fraction_limit, 0.995);
  EXPECT_EQ(bf16.volumes, 4);
  EXPECT_EQ(bf16.relative_time, 0.5);
  EXPECT_EQ(bf16.recipe, "the fp32 files");
  EXPECT_EQ(manifest->precisions[1].precision, "int8");
  EXPECT_FALSE(manifest->precisions[1].passed);
  EXPECT_THAT(manifest->precisions[1].networks, SizeIs(0));
}

TEST(Precisions, WhatPassedMayBeThePolicy) {
  for (const char* precision : {"bf16", "int8", "int8_bf16"}) {
    ordered_json manifest = UsualManifest();
    manifest["precisions"].erase(1);
    manifest["precisions"][0]["precision"] = precision;
    manifest["precision_policy"] = precision;
    const absl::StatusOr<BundleManifest> parsed = ParseBundleManifest(manifest.dump());
    NNSEG_ASSERT_OK(parsed) << precision;
    EXPECT_EQ(parsed->precisions[0].precision, precision);
    EXPECT_EQ(parsed->precision_policy, precision);
  }
}

TEST(Precisions, AManifestNeedNotHaveThem) {
  ordered_json manifest = UsualManifest();
  manifest.erase("precisions");
  manifest.erase("precision_policy");
  const absl::StatusOr<BundleManifest> parsed = ParseBundleManifest(manifest.dump());
  NNSEG_ASSERT_OK(parsed);
  EXPECT_THAT(parsed->precisions, SizeIs(0));
  EXPECT_EQ(parsed->precision_policy, "");
}

TEST(Precisions, ReachingTheLimitsExactlyPasses) {
  ordered_json manifest = UsualManifest();
  manifest["precisions"][0]["dice"] = 0.99;
  manifest["precisions"][0]["equal_fraction"] = 0.995;
  NNSEG_EXPECT_OK(ParseBundleManifest(manifest.dump()));
}

TEST(Precisions, FiguresBelowALimitCannotHavePassed) {
  for (const auto& [key, value] : {std::pair<const char*, double>{"dice", 0.9899},
                                   {"equal_fraction", 0.9949},
                                   {"dice_limit", 0.9981},
                                   {"volumes", 0},
                                   {"relative_time", 0}}) {
    ordered_json manifest = UsualManifest();
    manifest["precisions"][0][key] = value;
    if (key == std::string("volumes")) manifest["precisions"][0][key] = 0;
    EXPECT_THAT(ParseBundleManifest(manifest.dump()),
                StatusIs(kInvalid, HasSubstr("precisions.0.passed is true, expected false: Dice")))
        << key;
  }
}

class PrecisionsRefusal : public testing::TestWithParam<ManifestRefusal> {};

TEST_P(PrecisionsRefusal, NamesTheKey) { ExpectRefused(UsualManifest(), GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    All, PrecisionsRefusal,
    testing::Values(
        ManifestRefusal{"NoList", "/precisions", ordered_json::object(), kInvalid,
                        "precisions is an object, expected an array"},
        ManifestRefusal{
            "UnlistedEngine", "/precisions/0/engine", "tensorrt", kInvalid,
            "precisions.0.engine is \"tensorrt\", expected an engine listed under engines"},
        ManifestRefusal{"OtherPrecision", "/precisions/0/precision", "fp8", kUnimplemented,
                        "precisions.0.precision is \"fp8\", expected one of bf16, int8, int8_bf16"},
        ManifestRefusal{"TwiceTheSame", "/precisions/1/precision", "bf16", kInvalid,
                        "precisions.1 is an object, expected an engine and precision that differ"},
        ManifestRefusal{"NetworksOfAFailedOne",
                        "/precisions/1/networks",
                        {{"0", "fold_0_int8.xml"}, {"1", "fold_1_int8.xml"}},
                        kInvalid,
                        "precisions.1.networks is an object, expected none: it has not passed"},
        ManifestRefusal{
            "UnlistedFile", "/precisions/0/networks/1", "other.xml", kInvalid,
            "precisions.0.networks.1 is \"other.xml\", expected a file listed under files"},
        ManifestRefusal{"FoldWithoutFile",
                        "/precisions/0/networks",
                        {{"0", "fold_0.xml"}},
                        kInvalid,
                        "key precisions.0.networks.1 is missing"},
        ManifestRefusal{
            "FileWithoutFold", "/precisions/0/networks/7", "fold_0.xml", kInvalid,
            "precisions.0.networks is an object, expected the folds listed under folds"},
        ManifestRefusal{"DiceAboveOne", "/precisions/0/dice", 1.5, kInvalid,
                        "precisions.0.dice is 1.5, expected a number in [0, 1]"},
        ManifestRefusal{"NegativeTime", "/precisions/1/relative_time", -1, kInvalid,
                        "precisions.1.relative_time is -1"},
        ManifestRefusal{
            "OtherPolicy", "/precision_policy", "fp8", kUnimplemented,
            "precision_policy is \"fp8\", expected one of fp32, auto, exact, bf16, int8, "
            "int8_bf16"},
        ManifestRefusal{"PolicyThatDidNotPass", "/precision_policy", "int8", kInvalid,
                        "precision_policy is \"int8\", expected a precision that passed its gate"},
        ManifestRefusal{
            "PolicyThatWasNotTried", "/precision_policy", "int8_bf16", kInvalid,
            "precision_policy is \"int8_bf16\", expected a precision that passed its gate"}),
    [](const auto& info) { return info.param.name; });

TEST(Precisions, EveryKeyOfARecordIsNeeded) {
  const ordered_json original = UsualManifest();
  for (const auto& [key, value] : original["precisions"][0].items()) {
    ordered_json manifest = original;
    manifest["precisions"][0].erase(key);
    EXPECT_THAT(ParseBundleManifest(manifest.dump()),
                StatusIs(kInvalid, HasSubstr("key precisions.0." + key + " is missing")));
  }
}

TEST(Precisions, AnEnsembleHasAPolicyAndNoRecords) {
  ordered_json manifest = UsualManifest();
  manifest["kind"] = "ensemble";
  manifest["members"] = {{{"name", "flat"}, {"version", 2}}, {{"name", "deep"}, {"version", 1}}};
  manifest["precision_policy"] = "bf16";
  const absl::StatusOr<BundleManifest> parsed = ParseBundleManifest(manifest.dump());
  NNSEG_ASSERT_OK(parsed);
  EXPECT_EQ(parsed->precision_policy, "bf16");
  EXPECT_THAT(parsed->precisions, SizeIs(0));
}

}  // namespace
}  // namespace nnseg
