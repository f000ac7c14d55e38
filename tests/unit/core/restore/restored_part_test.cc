#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/restore/slab_restorer.h"
#include "tests/support/restore_fixture.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

// A way of resampling logits.
struct Way {
  const char* name;
  ResamplingRule rule;
  bool anisotropic = false;   // axis 0 is coarse
  bool resamples = true;      // else the network's grid is the crop's
  bool whole_logits = false;  // every part needs the whole grid
};

const Way kWays[] = {
    {"Linear", {.order = 1}},
    {"Nearest", {.order = 0}},
    {"LinearInPlaneNearestAcross", {.order = 1, .force_separate_z = std::nullopt}, true},
    {"LinearAcrossToo",
     {.order = 1, .order_z = 1, .force_separate_z = std::nullopt},
     true,
     true,
     true},
    {"Cubic", {.order = 3}, false, true, true},
    {"Torch", {.resampler = Resampler::kTorch}},
    {"TorchSeparate", {.resampler = Resampler::kTorch, .force_separate_z = std::nullopt}, true},
    {"SameGrid", {.order = 1}, false, false},
    {"NoResampling", {.resampler = Resampler::kNone}, false, false},
};

class RestoredPart : public testing::TestWithParam<Way> {
 protected:
  int64_t Draw(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random_);
  }

  // A crop inside an image, enlarged or shrunk along each axis.
  CaseProperties DrawProperties() {
    CaseProperties properties;
    for (int axis = 0; axis < 3; ++axis) {
      const int64_t crop = Draw(2, axis == 2 ? 45 : 24);
      properties.crop.begin[axis] = Draw(0, 3);
      properties.crop.end[axis] = properties.crop.begin[axis] + crop;
      properties.shape_before_cropping[axis] = properties.crop.end[axis] + Draw(0, 3);
      properties.network_shape[axis] = GetParam().resamples ? Draw(1, 30) : crop;
      const bool coarse = GetParam().anisotropic && axis == 0;
      properties.spacing[axis] = coarse ? 5 : 1;
      properties.network_spacing[axis] = coarse ? 6 : 1.25;
    }
    return properties;
  }

  Box3 DrawPart(const Box3& crop) {
    Box3 part;
    for (int axis = 0; axis < 3; ++axis) {
      part.begin[axis] = Draw(crop.begin[axis], crop.end[axis] - 1);
      part.end[axis] = Draw(part.begin[axis] + 1, crop.end[axis]);
    }
    return part;
  }

  SegmentationPlan DrawPlan() {
    SegmentationPlan plan = Draw(0, 1) == 0 ? LabelPlan(5) : RegionPlan({2, 1, 4, 3, 5});
    plan.logits_resampling = GetParam().rule;
    constexpr std::array<int, 3> kTransposes[] = {{0, 1, 2}, {1, 0, 2}, {2, 0, 1}, {1, 2, 0}};
    plan.transpose_forward = AxisPermutation::Create(kTransposes[Draw(0, 3)]).value();
    return plan;
  }

  std::mt19937 random_{1};
};

// Expects `part` of `image` (both internal axes) to be equal, and background elsewhere.
template <typename T>
void ExpectEqualInside(const Volume<T>& got, const Volume<T>& whole, const Box3& box) {
  const Shape3 shape = box.shape();
  for (int64_t c = 0; c < whole.channels(); ++c) {
    for (int64_t v = 0; v < shape.voxels(); ++v) {
      const Index3 at =
          box.begin + Index3{{v / (shape[1] * shape[2]), v / shape[2] % shape[1], v % shape[2]}};
      ASSERT_EQ(got.at(c, at), whole.at(c, at)) << at[0] << ", " << at[1] << ", " << at[2];
    }
  }
}

TEST_P(RestoredPart, HasTheVoxelsOfTheWholeCrop) {
  for (uint32_t i = 0; i < 25; ++i) {
    SCOPED_TRACE(i);
    const SegmentationPlan plan = DrawPlan();
    const CaseProperties properties = DrawProperties();
    const Box3 part = DrawPart(properties.crop);
    const Box3 reader_part = plan.transpose_forward.Inverse().Apply(part);
    const Volume<Half> logits = RandomLogits(5, properties.network_shape, i);
    const auto whole = RestoreInSlabs(plan, properties, logits, 4);
    ExpectEqualInside(RestoreInSlabs(plan, properties, logits, Draw(1, 9), part), whole,
                      reader_part);
    const Restored both = RestoreWithProbabilities(plan, properties, logits, 4);
    const Restored some = RestoreWithProbabilities(plan, properties, logits, Draw(1, 9), part);
    ExpectEqualInside(some.labels, both.labels, reader_part);
    ExpectEqualInside(some.probabilities, both.probabilities, reader_part);
  }
}

TEST_P(RestoredPart, TakesTheLogitsAroundItOnly) {
  const SegmentationPlan plan = DrawPlan();
  CaseProperties properties = DrawProperties();
  properties.crop = {{{0, 0, 0}}, {{30, 30, 30}}};
  properties.shape_before_cropping = {{30, 30, 30}};
  properties.network_shape = {{20, 20, 20}};
  if (!GetParam().resamples) properties.network_shape = {{30, 30, 30}};
  const RestoreBoxes boxes = BoxesFor(plan, properties, {{{12, 12, 12}}, {{15, 15, 15}}});
  if (GetParam().whole_logits) {
    EXPECT_EQ(boxes.logits, Box3::Whole(properties.network_shape));
  } else {
    // Three voxels are 2 of the network's, and a neighbour on both sides at most.
    for (const int64_t extent : boxes.logits.shape()) EXPECT_LE(extent, 4);
  }
}

TEST_P(RestoredPart, ThatIsTheWholeCropTakesTheWholeGrid) {
  const CaseProperties properties = DrawProperties();
  EXPECT_EQ(BoxesFor(DrawPlan(), properties, properties.crop).logits,
            Box3::Whole(properties.network_shape));
}

INSTANTIATE_TEST_SUITE_P(Ways, RestoredPart, testing::ValuesIn(kWays),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace nnseg
