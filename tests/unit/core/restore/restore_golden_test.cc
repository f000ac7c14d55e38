// Equality with the label maps of nnU-Net 2.8.1's
// convert_predicted_logits_to_segmentation_with_correct_shape on random half-precision logits, and
// closeness to its probabilities. tests/data/prediction/make_goldens.py makes the files.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/restore/slab_restorer.h"
#include "gtest/gtest.h"
#include "tests/support/golden.h"
#include "tests/support/restore_fixture.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using nlohmann::json;

// torch's exponential and the order of its vector sums differ in the last bits.
constexpr float kProbabilityTolerance = 3e-7F;

std::vector<json> Cases() {
  return ReadJson(TestDataPath("prediction/cases.json")).at("restore").get<std::vector<json>>();
}

std::vector<json> CasesWithProbabilities() {
  std::vector<json> cases = Cases();
  std::erase_if(cases, [](const json& c) { return !c.at("probabilities").get<bool>(); });
  return cases;
}

Resampler ResamplerFrom(const json& name) {
  if (name == "torch") return Resampler::kTorch;
  return name == "none" ? Resampler::kNone : Resampler::kSpline;
}

class RestoreGolden : public testing::TestWithParam<json> {
 protected:
  void SetUp() override {
    const json& c = GetParam();
    logits_ = ReadNpy<Half>(File("logits"));
    plan_ = PlanFrom(c, logits_.channels());
    plan_.patch_dimensions = c.at("dimensions");
    plan_.transpose_forward =
        AxisPermutation::Create(c.at("transpose").get<std::array<int, 3>>()).value();
    plan_.logits_resampling.resampler = ResamplerFrom(c.at("resampler"));
    plan_.logits_resampling.order = c.at("order");
    plan_.logits_resampling.order_z = c.at("order_z");
    plan_.logits_resampling.force_separate_z = std::nullopt;
    if (const json& force = c.at("force_separate_z"); !force.is_null()) {
      plan_.logits_resampling.force_separate_z = force.get<bool>();
    }
    plan_.spacing = TripleFrom<Spacing3>(c.at("network_spacing"));
    properties_.spacing = TripleFrom<Spacing3>(c.at("spacing"));
    properties_.shape_before_cropping = TripleFrom<Shape3>(c.at("shape"));
    properties_.crop = {TripleFrom<Index3>(c.at("crop_begin")),
                        TripleFrom<Index3>(c.at("crop_end"))};
    properties_.network_spacing = plan_.NetworkSpacing(properties_.spacing);
    properties_.network_shape = logits_.shape();
  }

  std::string File(const std::string& kind) const {
    return TestDataPath("prediction/restore/" + kind + "_" +
                        GetParam().at("name").get<std::string>() + ".npy");
  }
  // nnU-Net writes uint16 from 255 foreground labels on.
  std::vector<uint16_t> Labels(const std::string& kind) const {
    if (plan_.labels.label_type() == LabelType::kUint16) {
      const auto golden = ReadNpy<uint16_t>(File(kind));
      return {golden.voxels().begin(), golden.voxels().end()};
    }
    const auto golden = ReadNpy<uint8_t>(File(kind));
    return {golden.voxels().begin(), golden.voxels().end()};
  }

  Volume<Half> logits_;
  SegmentationPlan plan_;
  CaseProperties properties_;
};

TEST_P(RestoreGolden, LabelsEqualNnunets) {
  const std::vector<uint16_t> expected = Labels("labels");
  for (const int64_t planes : {1, 3, 1000}) {
    const Volume<uint16_t> labels = RestoreInSlabs(plan_, properties_, logits_, planes);
    EXPECT_EQ(CountDifferent<uint16_t>(labels.voxels(), expected), 0) << "planes: " << planes;
  }
}

INSTANTIATE_TEST_SUITE_P(, RestoreGolden, testing::ValuesIn(Cases()), [](const auto& info) {
  return info.param.at("name").template get<std::string>();
});

class ProbabilityGolden : public RestoreGolden {};

TEST_P(ProbabilityGolden, ProbabilitiesAreNnunetsAndGiveItsLabels) {
  const std::vector<uint16_t> labels = Labels("decided");
  const auto expected = ReadNpy<float>(File("probabilities"));
  for (const int64_t planes : {1, 4, 1000}) {
    const Restored restored = RestoreWithProbabilities(plan_, properties_, logits_, planes);
    EXPECT_EQ(CountDifferent<uint16_t>(restored.labels.voxels(), labels), 0);
    ASSERT_EQ(restored.probabilities.shape(), expected.shape());
    ASSERT_EQ(restored.probabilities.channels(), expected.channels());
    float largest = 0;
    int64_t different = 0;
    for (int64_t i = 0; i < expected.size(); ++i) {
      const float got = restored.probabilities.voxels()[i];
      const float want = expected.voxels()[i];
      ASSERT_EQ(std::isnan(got), std::isnan(want)) << i;
      if (std::isnan(got)) continue;
      largest = std::max(largest, std::abs(got - want));
      different += got != want ? 1 : 0;
    }
    EXPECT_LE(largest, kProbabilityTolerance);
    RecordProperty("largest_difference", std::to_string(largest * 1e9F) + "e-9");
    RecordProperty("different_bits",
                   std::to_string(different) + " of " + std::to_string(expected.size()));
  }
}

INSTANTIATE_TEST_SUITE_P(, ProbabilityGolden, testing::ValuesIn(CasesWithProbabilities()),
                         [](const auto& info) {
                           return info.param.at("name").template get<std::string>();
                         });

}  // namespace
}  // namespace nnseg
