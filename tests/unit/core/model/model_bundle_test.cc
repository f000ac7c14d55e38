#include "core/model/model_bundle.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tiny_bundle.h"

namespace nnseg {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A good bundle in a folder of its own, for each test to spoil.
class ModelBundleTest : public testing::Test {
 protected:
  fs::path file(const std::string& name) const { return folder_ / name; }

  void FlipByte(const std::string& name, int64_t offset) {
    std::fstream stream(file(name), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(offset);
    const char byte = static_cast<char>(stream.get() ^ 1);
    stream.seekp(offset);
    stream.put(byte);
  }

  void Replace(const std::string& name, const std::string& from, const std::string& to) {
    std::string text;
    {
      std::ifstream stream(file(name), std::ios::binary);
      text.assign(std::istreambuf_iterator<char>(stream), {});
    }
    const std::size_t position = text.find(from);
    ASSERT_NE(position, std::string::npos) << from;
    std::ofstream(file(name), std::ios::binary) << text.replace(position, from.size(), to);
  }

  TemporaryFolder repository_;
  const fs::path folder_ = WriteTinyBundle(repository_.path());
};

TEST_F(ModelBundleTest, AGoodBundleIsRead) {
  const absl::StatusOr<ModelBundle> bundle = ReadModelBundle(folder_);
  NNSEG_ASSERT_OK(bundle);
  EXPECT_EQ(bundle->folder, folder_);
  EXPECT_EQ(bundle->manifest.name, "tiny");
  EXPECT_THAT(bundle->manifest.folds, ElementsAre("0", "1"));
  EXPECT_EQ(bundle->plan.patch_size, (Shape3{{8, 8, 8}}));
  EXPECT_EQ(bundle->plan.labels.output_channels(), 3);
  EXPECT_EQ(bundle->digest.size(), 64u);
}

TEST_F(ModelBundleTest, TheDigestChangesWithTheManifest) {
  const absl::StatusOr<ModelBundle> before = ReadModelBundle(folder_);
  Replace("manifest.json", "\"intended_use\": \"tests\"", "\"intended_use\": \"other\"");
  const absl::StatusOr<ModelBundle> after = ReadModelBundle(folder_);
  NNSEG_ASSERT_OK(before);
  NNSEG_ASSERT_OK(after);
  EXPECT_NE(before->digest, after->digest);
}

TEST_F(ModelBundleTest, AFlippedByteIsDataLoss) {
  for (const char* name : {"plans.json", "dataset.json", "fold_0.pt", "fold_1.pt"}) {
    FlipByte(name, 3);
    EXPECT_THAT(ReadModelBundle(folder_),
                StatusIs(absl::StatusCode::kDataLoss,
                         testing::StartsWith(std::string(name) + " has the SHA-256 ")));
    FlipByte(name, 3);
    NNSEG_EXPECT_OK(ReadModelBundle(folder_));
  }
}

TEST_F(ModelBundleTest, AChangedSizeIsDataLoss) {
  std::ofstream(file("fold_1.pt"), std::ios::app) << "x";
  EXPECT_THAT(ReadModelBundle(folder_), StatusIs(absl::StatusCode::kDataLoss,
                                                 "fold_1.pt has 22 bytes, expected 21 by "
                                                 "manifest.json"));
}

TEST_F(ModelBundleTest, AMissingFileIsNotFound) {
  fs::remove(file("fold_1.pt"));
  EXPECT_THAT(ReadModelBundle(folder_),
              StatusIs(absl::StatusCode::kNotFound, "fold_1.pt is missing"));
  fs::remove(file("manifest.json"));
  EXPECT_THAT(ReadModelBundle(folder_),
              StatusIs(absl::StatusCode::kNotFound, "manifest.json is missing"));
  EXPECT_THAT(ReadModelBundle(folder_ / "nothing"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ModelBundleTest, ExtraFilesAndFoldersAreRefused) {
  std::ofstream(file("extra.pt")) << "x";
  EXPECT_THAT(ReadModelBundle(folder_), StatusIs(absl::StatusCode::kInvalidArgument,
                                                 "extra.pt is not listed in manifest.json"));
  fs::remove(file("extra.pt"));
  fs::create_directory(file("more"));
  EXPECT_THAT(ReadModelBundle(folder_),
              StatusIs(absl::StatusCode::kInvalidArgument, "more is not listed in manifest.json"));
}

TEST_F(ModelBundleTest, LinksAreRefusedEvenToTheRightBytes) {
  for (const char* name : {"fold_0.pt", "plans.json", "manifest.json"}) {
    const fs::path elsewhere = repository_.path() / name;
    fs::rename(file(name), elsewhere);
    fs::create_symlink(elsewhere, file(name));
    EXPECT_THAT(ReadModelBundle(folder_),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         std::string(name) + " is a link, expected a regular file"));
    fs::remove(file(name));
    fs::rename(elsewhere, file(name));
  }
  NNSEG_EXPECT_OK(ReadModelBundle(folder_));
}

TEST_F(ModelBundleTest, AFolderInPlaceOfAFileIsRefused) {
  fs::remove(file("fold_0.pt"));
  fs::create_directory(file("fold_0.pt"));
  EXPECT_THAT(ReadModelBundle(folder_),
              StatusIs(absl::StatusCode::kInvalidArgument, "fold_0.pt is no regular file"));
}

TEST_F(ModelBundleTest, ManifestAndPlanMustAgree) {
  Replace("manifest.json", "\"network_output_channels\": 3", "\"network_output_channels\": 4");
  EXPECT_THAT(ReadModelBundle(folder_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("network_output_channels is 4, expected 3")));
  Replace("manifest.json", "\"network_output_channels\": 4", "\"network_output_channels\": 3");
  Replace("manifest.json", "\"network_input_channels\": 1", "\"network_input_channels\": 2");
  EXPECT_THAT(ReadModelBundle(folder_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("network_input_channels is 2, expected 1")));
  Replace("manifest.json", "\"network_input_channels\": 2", "\"network_input_channels\": 1");
  Replace("manifest.json", "\"patch_size\": [\n  8", "\"patch_size\": [\n  16");
  EXPECT_THAT(ReadModelBundle(folder_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("patch_size is 16x8x8, expected 8x8x8")));
}

TEST_F(ModelBundleTest, ErrorsNameNoFolder) {
  FlipByte("fold_0.pt", 0);
  const absl::StatusOr<ModelBundle> bundle = ReadModelBundle(folder_);
  ASSERT_FALSE(bundle.ok());
  EXPECT_THAT(std::string(bundle.status().message()), Not(HasSubstr("/")));
}

/// Bundles of other kinds, each written into a repository of its own.
absl::StatusOr<ModelBundle> WriteAndRead(const TinyBundleOptions& options) {
  const TemporaryFolder repository;
  return ReadModelBundle(WriteTinyBundle(repository.path(), options));
}

TEST(ModelBundle, TheNetworkOfACascadeTakesOneChannelForEachForegroundLabel) {
  TinyBundleOptions options;
  options.previous_configuration = "3d_lowres";
  options.previous_stage = ModelReference{"low", 2};
  const absl::StatusOr<ModelBundle> bundle = WriteAndRead(options);
  NNSEG_ASSERT_OK(bundle);
  EXPECT_EQ(bundle->manifest.input_channels, 3);
  EXPECT_EQ(bundle->plan.channels.size(), 1u);
  EXPECT_EQ(bundle->manifest.previous_stage, (ModelReference{"low", 2}));
}

TEST_F(ModelBundleTest, OnlyACascadeMayNameAPreviousStage) {
  Replace("manifest.json", "\"mirroring_axes\"",
          "\"previous_stage\": {\"name\": \"low\", \"version\": 1}, \"mirroring_axes\"");
  EXPECT_THAT(ReadModelBundle(folder_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("previous_stage is 'low', expected none by plans.json")));
}

TEST(ModelBundle, TwoDimensionalModelsAreRead) {
  TinyBundleOptions options;
  options.patch_dimensions = 2;
  options.patch_size = {{1, 16, 8}};
  const absl::StatusOr<ModelBundle> bundle = WriteAndRead(options);
  NNSEG_ASSERT_OK(bundle);
  EXPECT_EQ(bundle->plan.patch_dimensions, 2);
  EXPECT_EQ(bundle->manifest.patch_size, (Shape3{{1, 16, 8}}));
  EXPECT_THAT(bundle->manifest.mirroring_axes, ElementsAre(1, 2));
}

TEST_F(ModelBundleTest, APatchOfOneSliceIsNotTwoDimensional) {
  Replace("manifest.json", "\"patch_size\": [\n  8,", "\"patch_size\": [");
  Replace("manifest.json", "\"mirroring_axes\": [\n  0,\n  1,\n  2", "\"mirroring_axes\": [\n  0");
  EXPECT_THAT(ReadModelBundle(folder_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("patch_size is one of 2D, expected 3D by plans.json")));
}

TEST(ModelBundle, RegionsAreRead) {
  TinyBundleOptions options;
  options.regions = {{1, 2, 3}, {2, 3}};
  options.regions.push_back({3});
  const absl::StatusOr<ModelBundle> bundle = WriteAndRead(options);
  NNSEG_ASSERT_OK(bundle);
  EXPECT_TRUE(bundle->plan.labels.has_regions());
  EXPECT_EQ(bundle->manifest.output_channels, 3);
}

constexpr char kRules[] = R"({
  "postprocessing_fns": ["remove_all_but_largest_component_from_segmentation"],
  "postprocessing_kwargs": [{"labels_or_regions": [1, 2]}]})";

TEST(ModelBundle, RulesOfPostprocessingAreRead) {
  TinyBundleOptions options;
  EXPECT_TRUE(WriteAndRead(options)->postprocessing.empty());
  options.postprocessing = kRules;
  const absl::StatusOr<ModelBundle> bundle = WriteAndRead(options);
  NNSEG_ASSERT_OK(bundle);
  ASSERT_EQ(bundle->postprocessing.size(), 1u);
  EXPECT_THAT(bundle->postprocessing[0].labels, ElementsAre(1, 2));
}

TEST(ModelBundle, RulesForLabelsThatDoNotExistAreRefused) {
  TinyBundleOptions options;
  options.postprocessing = kRules;
  options.foreground_labels = 1;
  EXPECT_THAT(WriteAndRead(options),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "postprocessing.json: names the label 2, expected at most 1 by "
                       "dataset.json"));
  options.postprocessing = "{}";
  EXPECT_THAT(WriteAndRead(options), StatusIs(absl::StatusCode::kInvalidArgument,
                                              HasSubstr("postprocessing_fns is missing")));
}

TEST(ModelBundle, AnEnsembleHasLabelsChannelsAndRulesOnly) {
  const TemporaryFolder repository;
  TinyBundleOptions options;
  options.channels = {"T1", "T2"};
  options.postprocessing = kRules;
  const absl::StatusOr<ModelBundle> bundle = ReadModelBundle(
      WriteTinyEnsemble(repository.path(), "pair", {{"flat", 1}, {"deep", 2}}, options));
  NNSEG_ASSERT_OK(bundle);
  EXPECT_THAT(bundle->manifest.members,
              ElementsAre(ModelReference{"flat", 1}, ModelReference{"deep", 2}));
  ASSERT_EQ(bundle->plan.channels.size(), 2u);
  EXPECT_EQ(bundle->plan.channels[1].name, "T2");
  EXPECT_EQ(bundle->plan.labels.output_channels(), 3);
  EXPECT_EQ(bundle->postprocessing.size(), 1u);
}

TEST(ModelBundle, TheExampleModelIsWhole) {
  const char* examples = std::getenv("NNSEG_EXAMPLES");
  ASSERT_NE(examples, nullptr) << "run through ctest, or set NNSEG_EXAMPLES";
  const absl::StatusOr<ModelBundle> bundle =
      ReadModelBundle(fs::path(examples) / "models" / "brain-t1" / "1");
  NNSEG_ASSERT_OK(bundle);
  EXPECT_EQ(bundle->manifest.engines.count("torch"), 1u);
  EXPECT_EQ(bundle->manifest.engines.count("openvino"), 1u);
  EXPECT_EQ(bundle->plan.labels.entries()[2].name, "cortex");
}

}  // namespace
}  // namespace nnseg
