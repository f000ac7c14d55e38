#include "core/inference/torch/device_restorer.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/integration/torch_device/tensors.h"
#include "tests/support/restore_fixture.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

/// A resampling of logits from the grid `network` to the grid `image`. `separate` is the axis that
/// is sampled by its nearest planes, -1 for none.
struct Resampling {
  std::string name;
  Shape3 network;
  Shape3 image;
  int order = 1;
  int separate = -1;
};

void PrintTo(const Resampling& resampling, std::ostream* out) { *out << resampling.name; }

CaseProperties PropertiesOf(const Resampling& resampling) {
  CaseProperties properties;
  properties.shape_before_cropping = resampling.image;
  properties.crop = Box3::Whole(resampling.image);
  properties.network_shape = resampling.network;
  for (int axis = 0; axis < 3; ++axis) {
    // Far coarser than the others: resampled separately.
    properties.spacing[axis] = axis == resampling.separate ? 10 : 1;
    properties.network_spacing[axis] = properties.spacing[axis] *
                                       static_cast<double>(resampling.image[axis]) /
                                       static_cast<double>(resampling.network[axis]);
  }
  return properties;
}

LabelRule RuleOf(const Resampling& resampling, const SegmentationPlan& plan) {
  const auto axis = [&](int i) {
    if (resampling.network == resampling.image) return AxisOperator::Identity(resampling.image[i]);
    return AxisOperator::Resize(resampling.network[i], resampling.image[i],
                                i == resampling.separate ? 0 : resampling.order);
  };
  LabelRule rule{{axis(0), axis(1), axis(2)}, {}};
  if (plan.labels.has_regions()) {
    const auto& order = plan.labels.regions_class_order();
    rule.painted.assign(order.begin(), order.end());
  }
  return rule;
}

// The labels of logits that arrive `planes` at a time.
Volume<uint16_t> OnTheDevice(const LabelRule& rule, const Volume<Half>& logits, int64_t planes) {
  const auto stream = DeviceUnderTest();
  std::vector<uint16_t> labels;
  NNSEG_EXPECT_OK(stream->Run([&] {
    DeviceRestorer restorer(rule, *stream);
    int64_t next = 0;
    for (int64_t begin = 0; begin < logits.shape()[0]; begin += planes) {
      const int64_t end = std::min(begin + planes, logits.shape()[0]);
      const LabelPlanes part = restorer.Add(TensorOf(SliceOf(logits, begin, end)));
      EXPECT_EQ(part.begin, next);
      next += part.labels.shape()[0];
      labels.insert(labels.end(), part.labels.voxels().begin(), part.labels.voxels().end());
    }
    return absl::OkStatus();
  }));
  auto volume = Volume<uint16_t>::Uninitialized(
      1,
      {{rule.axes[0].output_length(), rule.axes[1].output_length(), rule.axes[2].output_length()}});
  EXPECT_EQ(labels.size(), volume.voxels().size());
  if (labels.size() == volume.voxels().size()) {
    std::copy(labels.begin(), labels.end(), volume.voxels().begin());
  }
  return volume;
}

void ExpectTheHostsLabels(const Resampling& resampling, SegmentationPlan plan,
                          const Volume<Half>& logits) {
  plan.logits_resampling = {
      .order = resampling.order, .order_z = 0, .force_separate_z = std::nullopt};
  const auto expected =
      RestoreInSlabs(plan, PropertiesOf(resampling), logits, resampling.network[0]);
  const auto [low, high] = std::minmax_element(expected.voxels().begin(), expected.voxels().end());
  EXPECT_LT(*low, *high) << "an image of one label shows nothing";
  for (const int64_t planes : {int64_t{1}, int64_t{3}, resampling.network[0]}) {
    const auto labels = OnTheDevice(RuleOf(resampling, plan), logits, planes);
    EXPECT_EQ(CountDifferent<uint16_t>(labels.voxels(), expected.voxels()), 0)
        << planes << " planes at a time";
  }
}

class DeviceRestorerOn : public testing::TestWithParam<Resampling> {};

INSTANTIATE_TEST_SUITE_P(
    Grids, DeviceRestorerOn,
    testing::Values(Resampling{"Same", {{7, 9, 11}}, {{7, 9, 11}}},
                    Resampling{"Larger", {{11, 9, 14}}, {{23, 16, 29}}},
                    Resampling{"Smaller", {{23, 17, 30}}, {{9, 11, 13}}},
                    Resampling{"OneAxis", {{12, 9, 14}}, {{12, 9, 33}}},
                    Resampling{"Nearest", {{11, 9, 14}}, {{23, 16, 9}}, 0},
                    Resampling{"SeparateFirst", {{8, 12, 14}}, {{5, 25, 21}}, 1, 0},
                    Resampling{"SeparateLast", {{8, 12, 14}}, {{15, 25, 21}}, 1, 2}),
    [](const auto& test) { return test.param.name; });

TEST_P(DeviceRestorerOn, LabelsAreTheHosts) {
  NNSEG_SKIP_WITHOUT_DEVICE();
  ExpectTheHostsLabels(GetParam(), LabelPlan(5), RandomLogits(5, GetParam().network, 1));
}

// Logits on a coarse scale: many voxels where the second rounding or a tie decides.
TEST_P(DeviceRestorerOn, LabelsOfTiesAreTheHosts) {
  NNSEG_SKIP_WITHOUT_DEVICE();
  Volume<Half> logits = RandomLogits(4, GetParam().network, 2);
  for (Half& logit : logits.voxels()) {
    logit = Half(1.0F + 0x1p-10F * static_cast<float>(logit.bits % 5));
  }
  ExpectTheHostsLabels(GetParam(), LabelPlan(4), logits);
}

TEST_P(DeviceRestorerOn, RegionsAreTheHosts) {
  NNSEG_SKIP_WITHOUT_DEVICE();
  Volume<Half> logits = RandomLogits(3, GetParam().network, 3);
  // The smallest subnormals lie on both sides of one half.
  for (std::size_t i = 0; i < logits.voxels().size(); i += 2) {
    logits.voxels()[i].bits = static_cast<uint16_t>(i / 2 % 4);
  }
  ExpectTheHostsLabels(GetParam(), RegionPlan({2, 1, 4}), logits);
}

TEST_P(DeviceRestorerOn, LogitsThatAreNoNumbersAreTheHosts) {
  NNSEG_SKIP_WITHOUT_DEVICE();
  Volume<Half> logits = RandomLogits(3, GetParam().network, 4);
  for (std::size_t i = 0; i < logits.voxels().size(); i += 13) {
    const float infinity = std::numeric_limits<float>::infinity();
    const std::array<float, 3> odd{infinity, -infinity, std::numeric_limits<float>::quiet_NaN()};
    logits.voxels()[i] = Half(odd[i / 13 % 3]);
  }
  ExpectTheHostsLabels(GetParam(), LabelPlan(3), logits);
}

TEST(DeviceRestorer, LabelsAboveAByteComeWhole) {
  NNSEG_SKIP_WITHOUT_DEVICE();
  const Resampling resampling{"", {{4, 5, 6}}, {{5, 7, 9}}};
  ExpectTheHostsLabels(resampling, LabelPlan(400), RandomLogits(400, resampling.network, 5));
  ExpectTheHostsLabels(resampling, RegionPlan({1000, 300}), RandomLogits(2, resampling.network, 6));
}

}  // namespace
}  // namespace nnseg
