#include "core/restore/slab_restorer.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "core/resample/torch_interpolation.h"
#include "core/restore/logit_decoder.h"
#include "core/restore/probabilities.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/restore_fixture.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

// An image of `shape` at 1 mm, uncropped, and a network grid of `network`.
CaseProperties Properties(const Shape3& shape, const Shape3& network) {
  CaseProperties properties;
  properties.shape_before_cropping = shape;
  properties.crop = Box3::Whole(shape);
  properties.network_shape = network;
  for (int axis = 0; axis < 3; ++axis) {
    properties.spacing[axis] = 1;
    properties.network_spacing[axis] =
        static_cast<double>(shape[axis]) / static_cast<double>(network[axis]);
  }
  return properties;
}

SegmentationPlan Plan(int64_t channels, int order = 1) {
  SegmentationPlan plan = LabelPlan(channels);
  plan.logits_resampling = {.order = order, .order_z = 0, .force_separate_z = std::nullopt};
  return plan;
}

TEST(SlabRestorer, OnTheSameGridLabelsAreTheLogitsArgmax) {
  const Shape3 shape{{6, 7, 40}};
  const Volume<Half> logits = RandomLogits(7, shape, 1);
  const SegmentationPlan plan = Plan(7);
  const Volume<uint16_t> labels = RestoreInSlabs(plan, Properties(shape, shape), logits, 2);
  LogitDecoder decoder(plan.labels);
  decoder.Start(shape.voxels());
  for (uint16_t c = 0; c < 7; ++c) decoder.Offer(c, 0, logits.channel(c));
  EXPECT_EQ(CountDifferent<uint16_t>(labels.voxels(), decoder.labels()), 0);
}

TEST(SlabRestorer, HowTheLogitsAreCutDoesNotMatter) {
  const CaseProperties properties = Properties({{31, 20, 37}}, {{17, 11, 19}});
  const Volume<Half> logits = RandomLogits(20, properties.network_shape, 2);
  const auto whole = RestoreInSlabs(Plan(20), properties, logits, 17);
  for (const int64_t planes : {1, 2, 5, 16}) {
    const auto labels = RestoreInSlabs(Plan(20), properties, logits, planes);
    EXPECT_EQ(CountDifferent<uint16_t>(labels.voxels(), whole.voxels()), 0) << planes;
  }
}

// Pruning by segment against interpolating every channel: a channel that is offset far down can win
// nothing, so its presence must not change a label.
TEST(SlabRestorer, ChannelsThatCannotWinChangeNothing) {
  const CaseProperties properties = Properties({{24, 21, 50}}, {{12, 14, 23}});
  const Volume<Half> logits = RandomLogits(5, properties.network_shape, 3);
  auto widened = Volume<Half>::Filled(40, properties.network_shape, Half(-1000.0F));
  std::copy(logits.voxels().begin(), logits.voxels().end(), widened.voxels().begin());
  const auto few = RestoreInSlabs(Plan(5), properties, logits, 4);
  const auto many = RestoreInSlabs(Plan(40), properties, widened, 4);
  EXPECT_EQ(CountDifferent<uint16_t>(few.voxels(), many.voxels()), 0);
}

// Where one channel is clear of all others nothing is interpolated. A copy of each channel behind
// them takes every such lead away and, as the second of equals, must not change a label.
TEST(SlabRestorer, AClearLeadGivesTheLabelsOfInterpolation) {
  const CaseProperties properties = Properties({{24, 21, 90}}, {{12, 14, 41}});
  Volume<Half> logits = RandomLogits(3, properties.network_shape, 5);
  const Shape3& shape = logits.shape();
  for (int64_t c = 0; c < 3; ++c) {
    for (int64_t x = c * 14; x < std::min<int64_t>(c * 14 + 14, shape[2]); ++x) {
      for (int64_t z = 0; z < shape[0]; ++z) {
        for (int64_t y = 0; y < shape[1]; ++y) {
          Half& logit = logits.at(c, {{z, y, x}});
          logit = Half(static_cast<float>(logit) + 100.0F);
        }
      }
    }
  }
  auto twice = Volume<Half>::Filled(6, shape, Half(0.0F));
  std::copy(logits.voxels().begin(), logits.voxels().end(), twice.voxels().begin());
  std::copy(logits.voxels().begin(), logits.voxels().end(), twice.channel(3).begin());
  const auto lead = RestoreInSlabs(Plan(3), properties, logits, 4);
  const auto none = RestoreInSlabs(Plan(6), properties, twice, 4);
  EXPECT_EQ(CountDifferent<uint16_t>(lead.voxels(), none.voxels()), 0);
}

// Channel 1 leads the segment, yet channel 0 is its equal at the other voxel and comes first.
TEST(SlabRestorer, AChannelThatOnlyTiesTheWorstVoxelStillCounts) {
  auto logits = Volume<Half>::Filled(2, {{1, 1, 2}}, Half(0.0F));
  logits.at(1, {{0, 0, 0}}) = Half(5.0F);
  const auto labels =
      RestoreInSlabs(Plan(2), Properties(logits.shape(), logits.shape()), logits, 1);
  EXPECT_THAT(labels.voxels(), testing::ElementsAre(1, 0));
}

// A tap of weight 0 on an infinite logit makes NaN, numpy's maximum, as it does in nnU-Net.
TEST(SlabRestorer, InfiniteLogitsOfWeightZeroBecomeNan) {
  auto logits = Volume<Half>::Filled(2, {{1, 1, 12}}, Half(1.0F));
  for (Half& logit : logits.channel(1)) logit = Half(-5.0F);
  logits.at(1, {{0, 0, 2}}) = Half(-std::numeric_limits<float>::infinity());
  CaseProperties properties = Properties({{1, 1, 4}}, logits.shape());
  properties.network_spacing = properties.spacing;  // no separate axis
  EXPECT_THAT(RestoreInSlabs(Plan(2), properties, logits, 1).voxels(),
              testing::ElementsAre(1, 0, 0, 0));
}

TEST(SlabRestorer, VoxelsOutsideOfTheCropAreNotSent) {
  CaseProperties properties = Properties({{4, 4, 4}}, {{4, 4, 4}});
  properties.shape_before_cropping = {{10, 9, 8}};
  properties.crop = {{{2, 3, 1}}, {{6, 7, 5}}};
  auto logits = Volume<Half>::Filled(2, {{4, 4, 4}}, Half(0.0F));
  for (Half& logit : logits.channel(1)) logit = Half(1.0F);
  const auto labels = RestoreInSlabs(Plan(2), properties, logits, 4);
  for (int64_t z = 0; z < 10; ++z) {
    for (int64_t y = 0; y < 9; ++y) {
      for (int64_t x = 0; x < 8; ++x) {
        const bool inside = z >= 2 && z < 6 && y >= 3 && y < 7 && x >= 1 && x < 5;
        ASSERT_EQ(labels.at(0, {{z, y, x}}), inside ? 1 : 0);
      }
    }
  }
}

TEST(SlabRestorer, LabelsLeaveAsSoonAsTheirPlanesAreThere) {
  const CaseProperties properties = Properties({{20, 4, 4}}, {{10, 4, 4}});
  const Volume<Half> logits = RandomLogits(3, properties.network_shape, 4);
  const SegmentationPlan plan = Plan(3);
  std::vector<int64_t> ends;
  auto restorer = SlabRestorer::Create(plan, properties, {.labels = [&](const LabelBlock& block) {
                                         ends.push_back(block.box.end[0]);
                                         return absl::OkStatus();
                                       }});
  ASSERT_THAT(restorer, IsOk());
  EXPECT_THAT((*restorer)->Add({{}, SliceOf(logits, 0, 5)}), IsOk());
  EXPECT_THAT(ends, testing::ElementsAre(9));  // plane 9 needs the network's planes 4 and 5
  EXPECT_THAT((*restorer)->Add({{{5, 0, 0}}, SliceOf(logits, 5, 10)}), IsOk());
  EXPECT_THAT(ends, testing::ElementsAre(9, 20));
}

TEST(SlabRestorer, ReturnsTheSinksError) {
  const CaseProperties properties = Properties({{8, 8, 8}}, {{4, 4, 4}});
  const auto gone = [](const auto&) { return absl::UnavailableError("gone"); };
  const auto fine = [](const auto&) { return absl::OkStatus(); };
  for (const int order : {1, 3}) {
    const SegmentationPlan plan = Plan(2, order);
    for (const RestoreSinks& sinks :
         {RestoreSinks{.labels = gone}, RestoreSinks{.labels = gone, .probabilities = fine},
          RestoreSinks{.labels = fine, .probabilities = gone}}) {
      auto restorer = SlabRestorer::Create(plan, properties, sinks);
      ASSERT_THAT(restorer, IsOk());
      absl::Status status = (*restorer)->Add({{}, RandomLogits(2, {{4, 4, 4}}, 5)});
      if (status.ok()) status = (*restorer)->Finish();
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, "gone"));
    }
  }
}

TEST(SlabRestorer, MissingLogitsAreAnError) {
  for (const int order : {1, 3}) {
    const CaseProperties properties = Properties({{8, 8, 8}}, {{4, 4, 4}});
    const SegmentationPlan plan = Plan(2, order);
    auto restorer = SlabRestorer::Create(
        plan, properties, {.labels = [](const LabelBlock&) { return absl::OkStatus(); }});
    ASSERT_THAT(restorer, IsOk());
    EXPECT_THAT((*restorer)->Add({{}, RandomLogits(2, {{2, 4, 4}}, 5)}), IsOk());
    EXPECT_THAT((*restorer)->Finish(),
                StatusIs(absl::StatusCode::kInternal, HasSubstr("plane 2, expected 4")));
  }
}

// Pruning against whole planes: the two ways must agree on the labels of regions.
TEST(SlabRestorer, RegionsAreTheSameWithAndWithoutProbabilities) {
  const CaseProperties properties = Properties({{24, 21, 50}}, {{12, 14, 23}});
  SegmentationPlan plan = RegionPlan({4, 2, 5, 1, 3});
  plan.logits_resampling = Plan(2).logits_resampling;
  for (const float sigma : {3.0F, 1e-7F}) {
    const Volume<Half> logits = RandomLogits(5, properties.network_shape, 7, sigma);
    const auto pruned = RestoreInSlabs(plan, properties, logits, 4);
    const Restored whole = RestoreWithProbabilities(plan, properties, logits, 4);
    EXPECT_EQ(CountDifferent<uint16_t>(pruned.voxels(), whole.labels.voxels()), 0);
  }
}

TEST(SlabRestorer, HowTheLogitsAreCutDoesNotMatterToProbabilities) {
  const CaseProperties properties = Properties({{31, 20, 37}}, {{17, 11, 19}});
  const Volume<Half> logits = RandomLogits(6, properties.network_shape, 8);
  for (const auto resampler : {Resampler::kSpline, Resampler::kTorch}) {
    SegmentationPlan plan = Plan(6);
    plan.logits_resampling.resampler = resampler;
    const Restored whole = RestoreWithProbabilities(plan, properties, logits, 17);
    for (const int64_t planes : {1, 2, 5, 16}) {
      const Restored cut = RestoreWithProbabilities(plan, properties, logits, planes);
      EXPECT_EQ(CountDifferent<float>(cut.probabilities.voxels(), whole.probabilities.voxels()), 0);
    }
  }
}

// torch's rounding of small slices depends on how many channels it is given at once.
TEST(SlabRestorer, TorchResamplesAllChannelsTogether) {
  CaseProperties properties = Properties({{7, 18, 15}}, {{5, 12, 10}});
  properties.network_spacing = {5, 1.5, 1.5};
  properties.spacing = {3.5, 1, 1};
  SegmentationPlan plan = RegionPlan({1, 2, 3});
  plan.logits_resampling = {.resampler = Resampler::kTorch, .force_separate_z = std::nullopt};
  const Volume<Half> logits = RandomLogits(3, properties.network_shape, 10);
  const Restored restored = RestoreWithProbabilities(plan, properties, logits, 2);

  const TorchInterpolation torch(properties.network_shape, properties.crop.shape(), 0, 3);
  TorchInterpolation::Scratch scratch;
  auto expected = Volume<float>::Uninitialized(3, properties.crop.shape());
  for (int64_t c = 0; c < 3; ++c) {
    for (int64_t k = 0; k < 7; ++k) {
      std::array<InputPlane<Half>, 2> planes;
      for (int i = 0; i < 2; ++i) {
        planes[i] = {&logits.at(c, {{torch.planes(k)[i], 0, 0}}), logits.shape()[2], 1};
      }
      torch.Rows<Half>(c, k, planes, 0, 18, scratch, {&expected.at(c, {{k, 0, 0}}), 18 * 15});
    }
  }
  ToProbabilities(plan.labels, expected);
  EXPECT_EQ(CountDifferent<float>(restored.probabilities.voxels(), expected.voxels()), 0);
}

TEST(SlabRestorer, ProbabilitiesAloneAreEnough) {
  const CaseProperties properties = Properties({{8, 8, 8}}, {{4, 4, 4}});
  for (const int order : {1, 3}) {
    const SegmentationPlan plan = Plan(2, order);
    int64_t planes = 0;
    auto restorer =
        SlabRestorer::Create(plan, properties, {.probabilities = [&](const ProbabilityBlock& b) {
                               planes += b.box.shape()[0];
                               return absl::OkStatus();
                             }});
    ASSERT_THAT(restorer, IsOk());
    EXPECT_THAT((*restorer)->Add({{}, RandomLogits(2, {{4, 4, 4}}, 9)}), IsOk());
    EXPECT_THAT((*restorer)->Finish(), IsOk());
    EXPECT_EQ(planes, 8);
  }
}

TEST(SlabRestorer, LargeBlocksOfProbabilitiesAreCut) {
  const Shape3 shape{{3, 256, 256}};
  const SegmentationPlan plan = Plan(100);
  std::vector<int64_t> planes;
  auto restorer = SlabRestorer::Create(plan, Properties(shape, shape),
                                       {.probabilities = [&](const ProbabilityBlock& block) {
                                         planes.push_back(block.box.shape()[0]);
                                         return absl::OkStatus();
                                       }});
  ASSERT_THAT(restorer, IsOk());
  EXPECT_THAT((*restorer)->Add({{}, Volume<Half>::Filled(100, shape, Half(0.0F))}), IsOk());
  EXPECT_THAT(planes, testing::ElementsAre(1, 1, 1));
}

TEST(SlabRestorer, APlanThatResamplesNothingNeedsEqualGrids) {
  SegmentationPlan plan = Plan(2);
  plan.logits_resampling.resampler = Resampler::kNone;
  EXPECT_THAT(SlabRestorer::Create(plan, Properties({{8, 8, 8}}, {{4, 4, 4}}),
                                   {.labels = [](const LabelBlock&) { return absl::OkStatus(); }}),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("4x4x4")));
  const Volume<Half> logits = RandomLogits(2, {{4, 4, 4}}, 6);
  RestoreInSlabs(plan, Properties({{4, 4, 4}}, {{4, 4, 4}}), logits, 4);
}

TEST(RestoreBytes, AreFarBelowFullResolutionLogits) {
  SegmentationPlan plan = Plan(117);
  plan.patch_size = {{64, 64, 64}};
  const Shape3 shape{{181, 217, 181}};
  const Shape3 network{{88, 108, 90}};
  const int64_t full = 117 * shape.voxels() * 2;
  EXPECT_LT(RestoreBytes(plan, shape, network, false), full / 20);
  EXPECT_LT(RestoreBytes(plan, shape, network, true), full / 20);
  plan.logits_resampling.resampler = Resampler::kTorch;
  EXPECT_LT(RestoreBytes(plan, shape, network, false), full / 20);
  // No block is larger than the image.
  EXPECT_LT(RestoreBytes(plan, {{4, 4, 4}}, {{2, 2, 2}}, true), 117 * 64 * 4 + 117 * 16 + 1000);
}

TEST(RestoreBytes, CubicSplinesNeedTheNetworksLogitsAndProbabilitiesTheImages) {
  SegmentationPlan plan = Plan(117, 3);
  plan.patch_size = {{64, 64, 64}};
  const Shape3 shape{{181, 217, 181}};
  const Shape3 network{{88, 108, 90}};
  EXPECT_GT(RestoreBytes(plan, shape, network, false), 117 * network.voxels() * 2);
  EXPECT_LT(RestoreBytes(plan, shape, network, false), 117 * shape.voxels() * 2);
  EXPECT_GT(RestoreBytes(plan, shape, network, true), 117 * shape.voxels() * 2);
  // The order only concerns splines.
  plan.logits_resampling.resampler = Resampler::kNone;
  EXPECT_LT(RestoreBytes(plan, shape, network, false), 117 * shape.voxels() * 2 / 20);
}

}  // namespace
}  // namespace nnseg
