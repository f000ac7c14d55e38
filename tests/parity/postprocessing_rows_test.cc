// Row 24 of the parity table without a network: post-processing of label maps against nnU-Net's.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/postprocess/postprocessing_chain.h"
#include "tests/support/golden.h"

namespace nnseg::parity {
namespace {

TEST(Row24, PostprocessingEqualsNnunet) {
  const auto entries = ReadJson(TestDataPath("parity/index.json")).at("postprocessing");
  ASSERT_FALSE(entries.empty());
  for (const auto& entry : entries) {
    SCOPED_TRACE(entry.at("name").get<std::string>());
    const auto path = [&](const char* key) {
      return TestDataPath("parity/" + entry.at(key).get<std::string>());
    };
    const auto rules = ParsePostprocessingRules(ReadJson(path("rules")).dump());
    ASSERT_TRUE(rules.ok()) << rules.status();
    Volume<uint16_t> labels = ReadNpy<uint16_t>(path("before"));
    const absl::Status status = ApplyPostprocessing(*rules, CancellationToken(), labels);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_TRUE(std::ranges::equal(labels.voxels(), ReadNpy<uint16_t>(path("after")).voxels()));
  }
}

}  // namespace
}  // namespace nnseg::parity
