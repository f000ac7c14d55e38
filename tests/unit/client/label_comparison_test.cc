#include "client/compare/label_comparison.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "client/compare/surface_distance.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// An empty map with anisotropic voxels.
LabelMap EmptyMap(std::array<int64_t, 3> size = {10, 8, 6}) {
  Geometry geometry{size, {0.5, 2, 3}};
  return {geometry, LabelType::kUint8, Volume<uint16_t>::Filled(1, geometry.shape(), 0)};
}

void Fill(LabelMap& map, const Box3& box, uint16_t label) {
  for (int64_t z = box.begin[0]; z < box.end[0]; ++z) {
    for (int64_t y = box.begin[1]; y < box.end[1]; ++y) {
      for (int64_t x = box.begin[2]; x < box.end[2]; ++x) map.labels.at(0, {{z, y, x}}) = label;
    }
  }
}

TEST(CompareLabels, EqualMapsAgreeFully) {
  LabelMap a = EmptyMap();
  Fill(a, {{{1, 1, 1}}, {{4, 5, 6}}}, 3);
  const auto comparison = CompareLabels(a, a);
  NNSEG_ASSERT_OK(comparison);
  EXPECT_EQ(comparison->voxels, 480);
  EXPECT_EQ(comparison->differing, 0);
  EXPECT_EQ(comparison->min_dice(), 1);
  ASSERT_THAT(comparison->labels, SizeIs(1));
  EXPECT_EQ(comparison->labels[0].label, 3);
  EXPECT_EQ(comparison->labels[0].common, 60);
  EXPECT_EQ(comparison->labels[0].hd95_mm, 0);
}

TEST(CompareLabels, AShiftedBoxHasItsOverlapAndDistances) {
  LabelMap a = EmptyMap();
  LabelMap b = EmptyMap();
  Fill(a, {{{2, 2, 2}}, {{3, 3, 4}}}, 1);  // two voxels in a row along x
  Fill(b, {{{2, 2, 3}}, {{3, 3, 5}}}, 1);  // the same, one further
  const auto comparison = CompareLabels(a, b);
  NNSEG_ASSERT_OK(comparison);
  EXPECT_EQ(comparison->differing, 2);
  ASSERT_THAT(comparison->labels, SizeIs(1));
  EXPECT_EQ(comparison->labels[0].dice, 0.5);
  // Distances 0.5, 0 and 0, 0.5 mm: the 95th percentile lies between the two greatest.
  EXPECT_EQ(comparison->labels[0].hd95_mm, 0.5);
}

TEST(CompareLabels, ALabelOfOneMapAloneHasNoDistance) {
  LabelMap a = EmptyMap();
  const LabelMap b = EmptyMap();
  Fill(a, {{{0, 0, 0}}, {{1, 1, 2}}}, 7);
  const auto comparison = CompareLabels(a, b);
  NNSEG_ASSERT_OK(comparison);
  ASSERT_THAT(comparison->labels, SizeIs(1));
  EXPECT_EQ(comparison->min_dice(), 0);
  EXPECT_FALSE(comparison->labels[0].hd95_mm.has_value());
  EXPECT_THAT(FormatComparison(*comparison), HasSubstr("2 of 480 voxels differ"));
  EXPECT_TRUE(
      nlohmann::json::parse(ComparisonAsJson(*comparison))["labels"][0]["hd95_mm"].is_null());
}

TEST(CompareLabels, OtherGridsAreRefused) {
  const LabelMap a = EmptyMap();
  EXPECT_THAT(
      CompareLabels(a, EmptyMap({10, 8, 5})),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("size 10, 8, 6 and 10, 8, 5")));
  LabelMap b = EmptyMap();
  b.geometry.spacing_mm[2] = 3.001;
  EXPECT_THAT(CompareLabels(a, b),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("spacing")));
  b = EmptyMap();
  b.geometry.origin_mm[0] = 0.01;
  EXPECT_THAT(CompareLabels(a, b),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("origin")));
  b = EmptyMap();
  b.geometry.direction = {0, -1, 0, 1, 0, 0, 0, 0, 1};
  EXPECT_THAT(CompareLabels(a, b),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("direction")));
  b = EmptyMap();
  b.geometry.origin_mm[0] = 1e-5;  // NIfTI's rounding
  NNSEG_EXPECT_OK(CompareLabels(a, b));
}

TEST(SurfaceDistances, TwoVoxelsHaveTheirDistanceInMillimetres) {
  LabelMap a = EmptyMap();
  LabelMap b = EmptyMap();
  a.labels.at(0, {{1, 1, 1}}) = 1;
  b.labels.at(0, {{3, 2, 5}}) = 1;
  EXPECT_THAT(SurfaceDistances(a.labels, b.labels, 1, a.geometry.spacing()),
              ElementsAre(std::sqrt(44.0), std::sqrt(44.0)));
  EXPECT_THAT(SurfaceDistances(a.labels, b.labels, 2, a.geometry.spacing()), IsEmpty());
}

TEST(SurfaceDistances, TheInsideIsNoSurfaceButTheImagesEdgeIs) {
  LabelMap a = EmptyMap({5, 5, 5});
  Fill(a, {{{0, 0, 0}}, {{5, 5, 5}}}, 1);
  LabelMap b = EmptyMap({5, 5, 5});
  b.labels.at(0, {{2, 2, 2}}) = 1;
  const auto distances = SurfaceDistances(a.labels, b.labels, 1, Spacing3{{1, 1, 1}});
  ASSERT_THAT(distances, SizeIs(125 - 27 + 1));
  EXPECT_EQ(distances.back(), 2);  // from the middle to the nearest face
}

TEST(SurfaceDistances, EqualABruteForceSearch) {
  LabelMap a = EmptyMap();
  LabelMap b = EmptyMap();
  uint32_t state = 1;
  for (LabelMap* map : {&a, &b}) {
    for (uint16_t& label : map->labels.voxels()) {
      state = state * 1664525 + 1013904223;
      label = state >> 29 == 0 ? 1 : 0;  // sparse: each voxel is surface
    }
  }
  const Spacing3 spacing = a.geometry.spacing();
  std::vector<double> expected;
  const auto search = [&](const Volume<uint16_t>& from, const Volume<uint16_t>& to) {
    const Shape3& shape = from.shape();
    const auto each = [&](const auto& f) {
      for (int64_t z = 0; z < shape[0]; ++z) {
        for (int64_t y = 0; y < shape[1]; ++y) {
          for (int64_t x = 0; x < shape[2]; ++x) f(Index3{{z, y, x}});
        }
      }
    };
    each([&](const Index3& i) {
      if (from.at(0, i) == 0) return;
      double nearest = 1e300;
      each([&](const Index3& j) {
        if (to.at(0, j) == 0) return;
        nearest = std::min(nearest, std::hypot(spacing[0] * static_cast<double>(i[0] - j[0]),
                                               spacing[1] * static_cast<double>(i[1] - j[1]),
                                               spacing[2] * static_cast<double>(i[2] - j[2])));
      });
      expected.push_back(nearest);
    });
  };
  search(a.labels, b.labels);
  search(b.labels, a.labels);
  const auto distances = SurfaceDistances(a.labels, b.labels, 1, spacing);
  ASSERT_EQ(distances.size(), expected.size());
  for (std::size_t i = 0; i < distances.size(); ++i) {
    EXPECT_NEAR(distances[i], expected[i], 1e-12) << i;
  }
}

TEST(Quantile, InterpolatesBetweenNeighbours) {
  EXPECT_EQ(Quantile({4, 1, 3, 2, 5}, 0.5), 3);
  EXPECT_DOUBLE_EQ(Quantile({0, 10}, 0.95), 9.5);
  EXPECT_EQ(Quantile({7}, 0.95), 7);
}

}  // namespace
}  // namespace nnseg
