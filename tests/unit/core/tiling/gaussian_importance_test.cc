#include "core/tiling/gaussian_importance.h"

#include <algorithm>
#include <vector>

#include "core/base/float_environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/golden.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::Pointwise;

std::vector<float> Line(int64_t n) {
  const std::vector<Half> weights = GaussianImportance({{1, 1, n}});
  std::vector<float> line(weights.size());
  ToFloat(weights, line);
  return line;
}

TEST(GaussianImportance, FollowsNnunetsProfile) {
  EXPECT_THAT(Line(8), Pointwise(FloatNear(5e-4F), {0.003355F, 0.1111F, 1.354F, 6.066F, 10.0F,
                                                    6.066F, 1.354F, 0.1111F}));
  EXPECT_THAT(Line(5), Pointwise(FloatNear(1e-3F), {0.05975F, 2.781F, 10.0F, 2.781F, 0.05975F}));
}

TEST(GaussianImportance, KeepsSubnormalsAndReplacesZerosByTheSmallest) {
  const std::vector<Half> weights = GaussianImportance({{128, 128, 128}});
  EXPECT_EQ(std::count(weights.begin(), weights.end(), Half(0.0F)), 0);
  const auto subnormal = [](Half weight) { return weight.bits < 0x0400; };
  // 366538 are subnormal by themselves and 8941 were zero.
  const auto smallest = std::min_element(weights.begin(), weights.end(),
                                         [](Half a, Half b) { return a.bits < b.bits; });
  EXPECT_EQ(smallest->bits, 1);
  EXPECT_EQ(std::count_if(weights.begin(), weights.end(), subnormal), 366538);
}

TEST(GaussianImportance, EqualsNnunetsBits) {
  const auto cases = ReadJson(TestDataPath("prediction/cases.json"));
  ASSERT_EQ(cases.at("gaussian").size(), 9U);
  for (const auto& golden : cases.at("gaussian")) {
    auto patch = golden.at("patch").get<std::vector<int64_t>>();
    if (patch.size() == 2) patch.insert(patch.begin(), 1);  // one slice
    const auto weights = GaussianImportance({{patch.at(0), patch.at(1), patch.at(2)}});
    EXPECT_EQ(HashOf(std::as_bytes(std::span(weights))), golden.at("fnv1a")) << golden.dump();
  }
}

TEST(UniformImportance, IsOneEverywhere) {
  EXPECT_THAT(UniformImportance({{1, 1, 3}}), ElementsAre(Half(1.0F), Half(1.0F), Half(1.0F)));
}

}  // namespace
}  // namespace nnseg
