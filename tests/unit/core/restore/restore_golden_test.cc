// Equality with the label maps of nnU-Net 2.8.1's
// convert_predicted_logits_to_segmentation_with_correct_shape on random half-precision logits.
// tests/data/prediction/make_goldens.py makes the files.

#include <algorithm>
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

json Cases() { return ReadJson(TestDataPath("prediction/cases.json")).at("restore"); }

std::string FileOf(const std::string& kind, const json& name) {
  return TestDataPath("prediction/restore/" + kind + "_" + name.get<std::string>() + ".npy");
}

class RestoreGolden : public testing::TestWithParam<json> {
 protected:
  // Labels of the case, fed in slabs of `planes` planes.
  Volume<uint16_t> Restore(int64_t planes) {
    const json& c = GetParam();
    const auto logits = ReadNpy<Half>(FileOf("logits", c.at("name")));
    SegmentationPlan plan = LabelPlan(logits.channels());
    plan.transpose_forward =
        AxisPermutation::Create(c.at("transpose").get<std::array<int, 3>>()).value();
    plan.logits_resampling = {
        .order = c.at("order"), .order_z = c.at("order_z"), .force_separate_z = std::nullopt};
    CaseProperties properties;
    properties.spacing = TripleFrom<Spacing3>(c.at("spacing"));
    properties.shape_before_cropping = TripleFrom<Shape3>(c.at("shape"));
    properties.crop = {TripleFrom<Index3>(c.at("crop_begin")),
                       TripleFrom<Index3>(c.at("crop_end"))};
    properties.network_spacing = TripleFrom<Spacing3>(c.at("network_spacing"));
    properties.network_shape = logits.shape();
    return RestoreInSlabs(plan, properties, logits, planes);
  }
};

TEST_P(RestoreGolden, LabelsEqualNnunets) {
  const auto golden = ReadNpy<uint8_t>(FileOf("labels", GetParam().at("name")));
  const std::vector<uint16_t> expected(golden.voxels().begin(), golden.voxels().end());
  for (const int64_t planes : {1, 3, 1000}) {
    const Volume<uint16_t> labels = Restore(planes);
    EXPECT_EQ(labels.shape(), golden.shape());
    EXPECT_EQ(CountDifferent<uint16_t>(labels.voxels(), expected), 0) << "planes: " << planes;
  }
}

INSTANTIATE_TEST_SUITE_P(, RestoreGolden, testing::ValuesIn(Cases().get<std::vector<json>>()),
                         [](const auto& info) {
                           return info.param.at("name").template get<std::string>();
                         });

}  // namespace
}  // namespace nnseg
