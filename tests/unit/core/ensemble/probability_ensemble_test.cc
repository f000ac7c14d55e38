// Equality with nnU-Net 2.8.1's ensembling.ensemble and label_handling.
// tests/data/prediction/make_goldens.py makes the files.

#include "core/ensemble/probability_ensemble.h"

#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/golden.h"
#include "tests/support/restore_fixture.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using testing::ElementsAre;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// One row of voxels along the last axis; `channels` x voxels.
ProbabilityBlock Row(const std::vector<std::vector<float>>& channels) {
  const auto voxels = static_cast<int64_t>(channels[0].size());
  ProbabilityBlock block{.box = {{{4, 5, 6}}, {{5, 6, 6 + voxels}}}, .values = {}};
  block.values =
      Volume<float>::Uninitialized(static_cast<int64_t>(channels.size()), block.box.shape());
  for (std::size_t c = 0; c < channels.size(); ++c) {
    std::copy(channels[c].begin(), channels[c].end(), block.values.channel(c).begin());
  }
  return block;
}

LabelBlock Decide(const LabelTable& table, const std::vector<std::vector<float>>& channels) {
  return LabelsOf(table, Row(channels));
}

// The part [begin, end) along axis 0 of probabilities of a box that begins at `origin`.
ProbabilityBlock PartOf(const Volume<float>& values, const Index3& origin, int64_t begin,
                        int64_t end) {
  const Shape3& shape = values.shape();
  ProbabilityBlock part;
  part.box = {origin + Index3{{begin, 0, 0}}, origin + Index3{{end, shape[1], shape[2]}}};
  part.values = Volume<float>::Uninitialized(values.channels(), part.box.shape());
  for (int64_t c = 0; c < values.channels(); ++c) {
    std::copy_n(&values.at(c, {{begin, 0, 0}}), part.box.shape().voxels(),
                part.values.channel(c).begin());
  }
  return part;
}

TEST(LabelsOf, TakesTheLargestAndTheFirstOfEquals) {
  const LabelBlock block = Decide(LabelPlan(3).labels, {{1, 1, 0, 2}, {1, 0, 3, 2}, {0, 1, 3, 2}});
  EXPECT_THAT(block.labels.voxels(), ElementsAre(0, 0, 1, 0));
  EXPECT_EQ(block.box, (Box3{{{4, 5, 6}}, {{5, 6, 10}}}));
}

TEST(LabelsOf, TheFirstNanIsTheMaximumAsNumpySays) {
  const LabelBlock block = Decide(
      LabelPlan(3).labels,
      {{kInfinity, 1, kNan, -0.0F}, {kNan, 2, kNan, 0.0F}, {kNan, 1, kInfinity, -kInfinity}});
  EXPECT_THAT(block.labels.voxels(), ElementsAre(1, 1, 0, 0));
}

TEST(LabelsOf, RegionsAboveOneHalfArePaintedInChannelOrder) {
  const LabelTable table = RegionPlan({1, 300, 3}).labels;
  const float above = std::nextafter(0.5F, 1.0F);
  const LabelBlock block = Decide(
      table,
      {{1, 1, 1, 0, 0.5F, kNan, above}, {0, 1, 1, 1, 0.5F, 1, 0}, {0, 0, 1, 0, 0.5F, kNan, 0}});
  EXPECT_THAT(block.labels.voxels(), ElementsAre(1, 300, 3, 300, 0, 300, 1));
}

TEST(LabelsOf, DecidesEveryVoxelOfALargeBlock) {
  const Volume<float> values = RandomVolume(4, {{11, 32, 37}}, 3);
  const ProbabilityBlock block = PartOf(values, {{0, 0, 0}}, 0, 11);
  const LabelBlock labels = LabelsOf(LabelPlan(4).labels, block);
  for (int64_t i = 0; i < values.shape().voxels(); ++i) {
    const uint16_t label = labels.labels.voxels()[i];
    for (int64_t c = 0; c < 4; ++c) {
      ASSERT_LE(values.channel(c)[i], values.channel(label)[i]) << i;
    }
  }
}

TEST(ProbabilityEnsemble, MeanHasTheBitsOfNnunets) {
  const nlohmann::json golden = ReadJson(TestDataPath("prediction/cases.json"));
  for (const auto& c : golden.at("ensembles")) {
    const auto name = c.at("name").get<std::string>();
    SCOPED_TRACE(name);
    const auto file = [&](const std::string& kind) {
      return TestDataPath("prediction/ensemble/" + kind + "_" + name + ".npy");
    };
    std::vector<Volume<float>> members;
    for (int m = 0; m < c.at("members").get<int>(); ++m) {
      members.push_back(ReadNpy<float>(file("member" + std::to_string(m))));
    }
    const auto mean = ReadNpy<float>(file("mean"));
    const auto labels = ReadNpy<uint16_t>(file("labels"));
    const Index3 origin{{3, 0, 7}};
    const Box3 box = PartOf(mean, origin, 0, mean.shape()[0]).box;
    ProbabilityEnsemble ensemble(box, mean.channels(), static_cast<int64_t>(members.size()));
    for (std::size_t m = 0; m < members.size(); ++m) {
      // Members come in blocks of different sizes.
      const int64_t planes = static_cast<int64_t>(m) + 2;
      for (int64_t begin = 0; begin < mean.shape()[0]; begin += planes) {
        const int64_t end = std::min(begin + planes, mean.shape()[0]);
        ensemble.Add(PartOf(members[m], origin, begin, end));
      }
    }
    const LabelTable table = PlanFrom(c, mean.channels()).labels;
    for (int64_t begin = 0; begin < mean.shape()[0]; begin += 3) {
      const int64_t end = std::min(begin + 3, mean.shape()[0]);
      const ProbabilityBlock block = ensemble.Mean(begin, end);
      const ProbabilityBlock expected = PartOf(mean, origin, begin, end);
      EXPECT_EQ(block.box, expected.box);
      EXPECT_EQ(CountDifferent<float>(block.values.voxels(), expected.values.voxels()), 0);
      const auto plane = labels.voxels().subspan(begin * labels.shape()[1] * labels.shape()[2],
                                                 expected.box.shape().voxels());
      EXPECT_EQ(CountDifferent<uint16_t>(LabelsOf(table, block).labels.voxels(), plane), 0);
    }
  }
}

TEST(ProbabilityEnsemble, BlocksMayCutTheBoxAlongAnyAxis) {
  const Box3 box{{{1, 2, 3}}, {{3, 4, 5}}};
  ProbabilityEnsemble ensemble(box, 1, 2);
  for (int64_t x = 0; x < 2; ++x) {
    const Box3 column{{{1, 2, 3 + x}}, {{3, 4, 4 + x}}};
    ensemble.Add({column, Volume<float>::Filled(1, {{2, 2, 1}}, static_cast<float>(x))});
  }
  for (int64_t y = 0; y < 2; ++y) {
    const Box3 row{{{1, 2 + y, 3}}, {{3, 3 + y, 5}}};
    ensemble.Add({row, Volume<float>::Filled(1, {{2, 1, 2}}, static_cast<float>(4 * y))});
  }
  EXPECT_THAT(ensemble.Mean(0, 2).values.voxels(), ElementsAre(0, 0.5F, 2, 2.5F, 0, 0.5F, 2, 2.5F));
  EXPECT_EQ(ProbabilityEnsemble::Bytes(box.shape(), 7), 7 * 8 * 4);
}

}  // namespace
}  // namespace nnseg
