#include "core/postprocess/connected_components.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nnseg {
namespace {

using testing::ElementsAre;

Volume<uint16_t> Map(const Shape3& shape, const std::vector<uint16_t>& labels) {
  Volume<uint16_t> map = Volume<uint16_t>::Uninitialized(1, shape);
  std::copy(labels.begin(), labels.end(), map.voxels().begin());
  return map;
}

std::vector<uint32_t> SizesOfRuns(const ConnectedComponents& components) {
  std::vector<uint32_t> sizes;
  for (uint32_t run = 0; run < components.runs().size(); ++run) {
    sizes.push_back(components.component_size(run));
  }
  return sizes;
}

TEST(ConnectedComponents, RunsOfSeveralLabelsOfTheSetAreOne) {
  const ConnectedComponents components(Map({{1, 1, 7}}, {1, 2, 3, 0, 9, 3, 0}),
                                       {false, true, false, true});
  ASSERT_EQ(components.runs().size(), 3U);
  EXPECT_EQ(components.runs()[1].begin, 2U);
  EXPECT_EQ(components.runs()[1].end, 3U);
  EXPECT_EQ(components.largest_size(), 1U);
}

TEST(ConnectedComponents, CornersConnectAndGapsOfOneDoNot) {
  const std::vector<bool> one{false, true};
  EXPECT_THAT(SizesOfRuns(ConnectedComponents(Map({{1, 2, 4}}, {1, 0, 0, 0,  //
                                                                0, 1, 0, 1}),
                                              one)),
              ElementsAre(2, 2, 1));
  EXPECT_THAT(SizesOfRuns(ConnectedComponents(Map({{2, 2, 2}}, {1, 0, 0, 0, 0, 0, 0, 1}), one)),
              ElementsAre(2, 2));
  EXPECT_THAT(SizesOfRuns(ConnectedComponents(Map({{3, 1, 2}}, {1, 0, 0, 0, 0, 1}), one)),
              ElementsAre(1, 1));
}

TEST(ConnectedComponents, ASnakeThroughAllPlanesIsOneComponent) {
  // Columns 0 and 2 meet only in the last plane, so every join of slabs counts.
  constexpr int64_t kPlanes = 101;
  Volume<uint16_t> map = Volume<uint16_t>::Filled(1, {{kPlanes, 2, 3}}, 0);
  for (int64_t i = 0; i < kPlanes; ++i) map.at(0, {{i, 0, 0}}) = map.at(0, {{i, 0, 2}}) = 1;
  EXPECT_EQ(ConnectedComponents(map, {false, true}).largest_size(), kPlanes);
  map.at(0, {{kPlanes - 1, 0, 1}}) = 1;
  EXPECT_EQ(ConnectedComponents(map, {false, true}).largest_size(), 2 * kPlanes + 1);
}

TEST(ConnectedComponents, AxesOfOneVoxelDoNotShortenRows) {
  const ConnectedComponents components(Map({{2, 3, 1}}, {1, 1, 0, 1, 0, 1}), {false, true});
  EXPECT_EQ(components.shape(), (Shape3{{1, 2, 3}}));
  EXPECT_THAT(SizesOfRuns(components), ElementsAre(4, 4, 4));
}

TEST(ConnectedComponents, AnEmptyMaskHasNoRuns) {
  const ConnectedComponents components(Map({{1, 1, 3}}, {1, 2, 3}), {});
  EXPECT_TRUE(components.runs().empty());
  EXPECT_EQ(components.largest_size(), 0U);
}

}  // namespace
}  // namespace nnseg
