#include "core/plan/bundle_manifest.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

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
using testing::UnorderedElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;

ordered_json UsualManifest() {
  ordered_json manifest = ordered_json::parse(R"({
    "format_version": 1,
    "name": "liver",
    "version": 3,
    "created": "2026-01-02T03:04:05Z",
    "intended_use": "Research.",
    "model": {"dataset_name": "Dataset007_Test", "trainer": "nnUNetTrainer",
              "plans_name": "nnUNetPlans", "configuration": "3d_fullres",
              "checkpoint": "checkpoint_final.pth"},
    "folds": ["1", "0", "all"],
    "mirroring_axes": [0, 2],
    "network_input_channels": 2,
    "network_output_channels": 5,
    "patch_size": [64, 96, 128],
    "expected_memory_bytes": {"weights": 3000, "activations": 700},
    "engines": {
      "torch": {"0": {"file": "fold_0.pt"}, "1": {"file": "fold_1.pt"},
                "all": {"file": "fold_all.pt"}}
    },
    "files": {}
  })");
  for (const char* name : {"plans.json", "dataset.json", "fold_0.pt", "fold_1.pt", "fold_all.pt"}) {
    manifest["files"][name] = {{"sha256", std::string(64, 'a')}, {"size", 12}};
  }
  return manifest;
}

TEST(BundleManifest, ReadsWhatTheExporterWrites) {
  const absl::StatusOr<BundleManifest> manifest = ParseBundleManifest(UsualManifest().dump());
  NNSEG_ASSERT_OK(manifest);
  EXPECT_EQ(manifest->name, "liver");
  EXPECT_EQ(manifest->version, 3);
  EXPECT_EQ(manifest->created, "2026-01-02T03:04:05Z");
  EXPECT_EQ(manifest->intended_use, "Research.");
  EXPECT_EQ(manifest->dataset_name, "Dataset007_Test");
  EXPECT_EQ(manifest->trainer, "nnUNetTrainer");
  EXPECT_EQ(manifest->plans_name, "nnUNetPlans");
  EXPECT_EQ(manifest->configuration, "3d_fullres");
  EXPECT_EQ(manifest->checkpoint, "checkpoint_final.pth");
  EXPECT_THAT(manifest->folds, ElementsAre("1", "0", "all"));
  EXPECT_THAT(manifest->mirroring_axes, ElementsAre(0, 2));
  EXPECT_EQ(manifest->input_channels, 2);
  EXPECT_EQ(manifest->output_channels, 5);
  EXPECT_EQ(manifest->patch_size, (Shape3{{64, 96, 128}}));
  EXPECT_THAT(manifest->engines.at("torch"),
              UnorderedElementsAre(Pair("0", "fold_0.pt"), Pair("1", "fold_1.pt"),
                                   Pair("all", "fold_all.pt")));
  EXPECT_EQ(manifest->files.size(), 5u);
  EXPECT_EQ(manifest->files.at("plans.json").sha256, std::string(64, 'a'));
  EXPECT_EQ(manifest->files.at("plans.json").size, 12);
  EXPECT_EQ(manifest->weight_bytes, 1000) << "of one fold; the file holds the sum";
  EXPECT_EQ(manifest->activation_bytes, 700);
}

TEST(BundleManifest, MirroringMayBeForbidden) {
  ordered_json manifest = UsualManifest();
  manifest["mirroring_axes"] = ordered_json::array();
  NNSEG_EXPECT_OK(ParseBundleManifest(manifest.dump()));
}

TEST(BundleManifest, TwoDimensionsAreTheLastInternalAxes) {
  ordered_json manifest = UsualManifest();
  manifest["patch_size"] = {96, 128};
  manifest["mirroring_axes"] = {0, 1};
  const absl::StatusOr<BundleManifest> parsed = ParseBundleManifest(manifest.dump());
  NNSEG_ASSERT_OK(parsed);
  EXPECT_EQ(parsed->patch_dimensions, 2);
  EXPECT_EQ(parsed->patch_size, (Shape3{{1, 96, 128}}));
  EXPECT_THAT(parsed->mirroring_axes, ElementsAre(1, 2));
}

TEST(BundleManifest, AModelMaySayThatItIsOne) {
  ordered_json manifest = UsualManifest();
  EXPECT_FALSE(ParseBundleManifest(manifest.dump())->is_ensemble());
  manifest["kind"] = "model";
  const absl::StatusOr<BundleManifest> parsed = ParseBundleManifest(manifest.dump());
  NNSEG_ASSERT_OK(parsed);
  EXPECT_FALSE(parsed->is_ensemble());
  EXPECT_EQ(parsed->previous_stage, std::nullopt);
}

TEST(BundleManifest, ACascadeMayNameItsPreviousStage) {
  ordered_json manifest = UsualManifest();
  manifest["previous_stage"] = {{"name", "low"}, {"version", 4}};
  const absl::StatusOr<BundleManifest> parsed = ParseBundleManifest(manifest.dump());
  NNSEG_ASSERT_OK(parsed);
  EXPECT_EQ(parsed->previous_stage, (ModelReference{"low", 4}));
}

ordered_json EnsembleManifest() {
  ordered_json manifest = UsualManifest();
  for (const char* key :
       {"folds", "mirroring_axes", "network_input_channels", "network_output_channels",
        "patch_size", "expected_memory_bytes", "engines"}) {
    manifest.erase(key);
  }
  manifest["kind"] = "ensemble";
  manifest["members"] = {{{"name", "flat"}, {"version", 2}}, {{"name", "deep"}, {"version", 1}}};
  manifest["files"] = {{"dataset.json", manifest["files"]["dataset.json"]}};
  return manifest;
}

TEST(BundleManifest, AnEnsembleHasMembersInsteadOfNetworks) {
  const absl::StatusOr<BundleManifest> manifest = ParseBundleManifest(EnsembleManifest().dump());
  NNSEG_ASSERT_OK(manifest);
  EXPECT_TRUE(manifest->is_ensemble());
  EXPECT_THAT(manifest->members, ElementsAre(ModelReference{"flat", 2}, ModelReference{"deep", 1}));
  EXPECT_TRUE(manifest->engines.empty());
  EXPECT_EQ(manifest->files.size(), 1u);
}

TEST(BundleManifest, AnEnsembleNeedsTwoModelsThatDiffer) {
  ordered_json manifest = EnsembleManifest();
  manifest["members"][1] = manifest["members"][0];
  EXPECT_THAT(ParseBundleManifest(manifest.dump()),
              StatusIs(kInvalid, HasSubstr("manifest.json: members.1 is an object, expected a "
                                           "model that differs")));
  manifest["members"][1]["version"] = 3;
  NNSEG_EXPECT_OK(ParseBundleManifest(manifest.dump())) << "another version is another model";
  manifest["members"].erase(1);
  EXPECT_THAT(ParseBundleManifest(manifest.dump()),
              StatusIs(kInvalid, HasSubstr("members is an array of 1, expected at least 2")));
  manifest.erase("members");
  EXPECT_THAT(ParseBundleManifest(manifest.dump()),
              StatusIs(kInvalid, HasSubstr("key members is missing")));
}

class BundleManifestRefusal : public testing::TestWithParam<ManifestRefusal> {};

TEST_P(BundleManifestRefusal, NamesTheKey) { ExpectRefused(UsualManifest(), GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    All, BundleManifestRefusal,
    testing::Values(
        ManifestRefusal{"OtherFormat", "/format_version", 2, kUnimplemented, "format_version is 2"},
        ManifestRefusal{"VersionZero", "/version", 0, kInvalid, "version is 0"},
        ManifestRefusal{"NameAsNumber", "/name", 7, kInvalid, "name is 7, expected a string"},
        ManifestRefusal{"NoFolds", "/folds", ordered_json::array(), kInvalid,
                        "folds is an array of 0"},
        ManifestRefusal{"FoldTwice", "/folds", {"0", "0"}, kInvalid, "folds.1 is \"0\""},
        ManifestRefusal{"FoldWithoutFile",
                        "/folds",
                        {"0", "1", "all", "4"},
                        kInvalid,
                        "key engines.torch.4 is missing"},
        ManifestRefusal{
            "FileWithoutFold", "/folds", {"0", "1"}, kInvalid, "engines.torch is an object"},
        ManifestRefusal{"UnlistedFile", "/engines/torch/0/file", "other.pt", kInvalid,
                        "engines.torch.0.file is \"other.pt\", expected a file listed under files"},
        ManifestRefusal{"NoEngine", "/engines", ordered_json::object(), kInvalid,
                        "engines is an object"},
        ManifestRefusal{
            "MirrorOutsideThePatch", "/mirroring_axes", {0, 3}, kInvalid, "mirroring_axes.1 is 3"},
        ManifestRefusal{"MirrorTwice", "/mirroring_axes", {1, 1}, kInvalid, "mirroring_axes"},
        ManifestRefusal{"MirrorOutsideTwoDimensions",
                        "/patch_size",
                        {64, 64},
                        kInvalid,
                        "mirroring_axes.1 is 2, expected an integer in [0, 1]"},
        ManifestRefusal{"OtherKind", "/kind", "mixture", kUnimplemented,
                        "kind is \"mixture\", expected one of model, ensemble"},
        ManifestRefusal{"PreviousStageAsText", "/previous_stage", "liver", kInvalid,
                        "previous_stage is \"liver\", expected an object"},
        ManifestRefusal{"PreviousStageVersionZero",
                        "/previous_stage",
                        {{"name", "low"}, {"version", 0}},
                        kInvalid,
                        "previous_stage.version is 0"},
        ManifestRefusal{"PatchOfFour", "/patch_size", {1, 1, 1, 1}, kInvalid, "patch_size"},
        ManifestRefusal{"PatchOfAnImpossibleSize",
                        "/patch_size",
                        {16384, 16384, 16384},
                        kInvalid,
                        "patch_size is 16384x16384x16384, too large"},
        ManifestRefusal{"NoChannels", "/network_input_channels", 0, kInvalid,
                        "network_input_channels"},
        ManifestRefusal{"UpperCaseHash", "/files/plans.json/sha256", std::string(64, 'A'), kInvalid,
                        "files.plans.json.sha256"},
        ManifestRefusal{"ShortHash", "/files/plans.json/sha256", "aa", kInvalid,
                        "files.plans.json.sha256"},
        ManifestRefusal{"NegativeSize", "/files/plans.json/size", -1, kInvalid,
                        "files.plans.json.size is -1"},
        ManifestRefusal{"NegativeMemory", "/expected_memory_bytes/weights", -1, kInvalid,
                        "expected_memory_bytes.weights"}),
    [](const auto& info) { return info.param.name; });

TEST(BundleManifest, RefusesFileNamesThatLeaveTheFolder) {
  for (const char* name :
       {"../fold_0.pt", "a/b", "/etc/passwd", ".hidden", "..", "", "a\\b", "line\nbreak"}) {
    ordered_json manifest = UsualManifest();
    manifest["files"][name] = {{"sha256", std::string(64, 'a')}, {"size", 1}};
    EXPECT_THAT(ParseBundleManifest(manifest.dump()),
                StatusIs(kInvalid, "manifest.json: files has a key that is no plain file name"))
        << name;
  }
}

TEST(BundleManifest, RefusesEveryMissingKey) {
  const ordered_json original = UsualManifest();
  for (const auto& [key, value] : original.items()) {
    ordered_json manifest = original;
    manifest.erase(key);
    EXPECT_THAT(ParseBundleManifest(manifest.dump()),
                StatusIs(kInvalid, HasSubstr("key " + key + " is missing")));
  }
}

TEST(BundleManifest, SurvivesAnyValueAtAnyPlace) {
  const std::vector<ordered_json> intruders{nullptr,
                                            true,
                                            -1,
                                            1e308,
                                            18446744073709551615u,
                                            "text",
                                            ordered_json::array(),
                                            ordered_json::object(),
                                            ordered_json::array({nullptr, 1, "a"})};
  const ordered_json original = UsualManifest();
  const ordered_json places = original.flatten();
  for (const auto& [pointer, value] : places.items()) {
    for (ordered_json::json_pointer place(pointer); !place.empty(); place.pop_back()) {
      for (const ordered_json& intruder : intruders) {
        ordered_json spoiled = original;
        spoiled[place] = intruder;
        const absl::StatusOr<BundleManifest> manifest = ParseBundleManifest(spoiled.dump());
        if (manifest.ok()) continue;  // still a good value there
        EXPECT_THAT(manifest.status().code(), testing::AnyOf(kInvalid, kUnimplemented)) << pointer;
      }
    }
  }
}

}  // namespace
}  // namespace nnseg
