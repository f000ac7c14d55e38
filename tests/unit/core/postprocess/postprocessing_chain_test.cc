// Equality with nnU-Net 2.8.1's postprocessing.remove_connected_components.
// tests/data/postprocess/make_goldens.py makes the files.

#include "core/postprocess/postprocessing_chain.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/golden.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using nlohmann::json;

PostprocessingRules RulesOf(const json& list) {
  PostprocessingRules rules;
  for (const json& rule : list) {
    rules.push_back({rule.at("labels").get<std::vector<int>>(), rule.at("background")});
  }
  return rules;
}

class PostprocessingGolden : public testing::TestWithParam<json> {};

TEST_P(PostprocessingGolden, LabelsAreNnunets) {
  const auto name = GetParam().at("name").get<std::string>();
  auto labels = ReadNpy<uint16_t>(TestDataPath("postprocess/labels_" + name + ".npy"));
  const auto expected = ReadNpy<uint16_t>(TestDataPath("postprocess/result_" + name + ".npy"));
  NNSEG_ASSERT_OK(
      ApplyPostprocessing(RulesOf(GetParam().at("rules")), CancellationToken(), labels));
  EXPECT_EQ(CountDifferent<uint16_t>(labels.voxels(), expected.voxels()), 0);
}

INSTANTIATE_TEST_SUITE_P(
    , PostprocessingGolden,
    testing::ValuesIn(ReadJson(TestDataPath("postprocess/cases.json")).get<std::vector<json>>()),
    [](const auto& info) { return info.param.at("name").template get<std::string>(); });

TEST(PostprocessingChain, WithoutRulesNothingChanges) {
  auto labels = CountingVolume<uint16_t>(1, {{2, 3, 4}});
  NNSEG_ASSERT_OK(ApplyPostprocessing({}, CancellationToken(), labels));
  const auto before = CountingVolume<uint16_t>(1, {{2, 3, 4}});
  EXPECT_EQ(CountDifferent<uint16_t>(labels.voxels(), before.voxels()), 0);
}

TEST(PostprocessingChain, LabelsThatNoMapCanHoldAreAbsent) {
  auto labels = Volume<uint16_t>::Filled(1, {{1, 1, 3}}, 1);
  labels.at(0, {{0, 0, 1}}) = 0;
  NNSEG_ASSERT_OK(ApplyPostprocessing({{{-1, 65537}, 5}}, CancellationToken(), labels));
  EXPECT_THAT(labels.voxels(), testing::ElementsAre(1, 0, 1));
}

TEST(PostprocessingChain, StopsWhenCancelled) {
  auto labels = Volume<uint16_t>::Filled(1, {{1, 1, 3}}, 1);
  const CancellationToken token;
  token.Cancel();
  EXPECT_THAT(ApplyPostprocessing({{{1}, 0}}, token, labels),
              StatusIs(absl::StatusCode::kCancelled));
}

TEST(PostprocessingChain, BytesCoverAMapOfEveryOtherVoxel) {
  // 16 bytes for each run, 4 for each row.
  for (const int64_t length : {2, 3, 4, 5, 64}) {
    EXPECT_GE(PostprocessingBytes(100 * length), 100 * ((length + 1) / 2 * 16 + 4)) << length;
  }
}

}  // namespace
}  // namespace nnseg
