#include "core/volume/volume.h"

#include "core/volume/label_map.h"
#include "core/volume/pixel_type.h"
#include "core/volume/volume_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using testing::Each;

TEST(Volume, IsDenseInChannelThenArrayOrder) {
  const auto volume = CountingVolume<int>(2, {{3, 4, 5}});
  EXPECT_EQ(volume.at(0, {{0, 0, 1}}), 1);
  EXPECT_EQ(volume.at(0, {{0, 1, 0}}), 5);
  EXPECT_EQ(volume.at(0, {{1, 0, 0}}), 20);
  EXPECT_EQ(volume.at(1, {{2, 3, 4}}), 119);
  EXPECT_EQ(volume.channel(1).front(), 60);
  EXPECT_EQ(volume.size(), 120);
}

TEST(Volume, FilledHoldsOneValue) {
  EXPECT_THAT((Volume<int>::Filled(2, {{2, 2, 2}}, 7).voxels()), Each(7));
  EXPECT_TRUE(Volume<int>().empty());
}

TEST(Volume, StartsAtAHugePageWhenItIsLarge) {
  const auto large = Volume<float>::Filled(1, {{3, 1024, 1024}}, 3);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(large.voxels().data()) % (uintptr_t{2} << 20), 0);
  EXPECT_THAT(large.voxels().last(3), Each(3));
}

TEST(VolumeView, CropsWithoutACopy) {
  auto volume = CountingVolume<int>(2, {{3, 4, 5}});
  const VolumeView<int> crop = ViewOf(volume, 1).Cropped({{{1, 1, 2}}, {{3, 4, 4}}});
  EXPECT_EQ(crop.shape, (Shape3{{2, 3, 2}}));
  EXPECT_FALSE(crop.dense());
  EXPECT_EQ(&crop.at({{0, 0, 0}}), &volume.at(1, {{1, 1, 2}}));
  EXPECT_EQ(&crop.at({{1, 2, 1}}), &volume.at(1, {{2, 3, 3}}));
}

TEST(VolumeView, PermutesAsNumpysTransposeDoes) {
  const auto volume = CountingVolume<int>(1, {{3, 4, 5}});
  const auto permuted = ViewOf(volume, 0).Permuted(AxisPermutation::Create({2, 0, 1}).value());
  EXPECT_EQ(permuted.shape, (Shape3{{5, 3, 4}}));
  for (int64_t z = 0; z < 3; ++z) {
    for (int64_t y = 0; y < 4; ++y) {
      for (int64_t x = 0; x < 5; ++x) {
        EXPECT_EQ(permuted.at({{x, z, y}}), volume.at(0, {{z, y, x}}));
      }
    }
  }
}

TEST(PixelType, SizesAndNamesAgree) {
  EXPECT_EQ(SizeOf(PixelType::kInt8), 1);
  EXPECT_EQ(SizeOf(PixelType::kUint16), 2);
  EXPECT_EQ(SizeOf(PixelType::kFloat32), 4);
  EXPECT_EQ(SizeOf(PixelType::kFloat64), 8);
  EXPECT_EQ(NameOf(PixelType::kUint8), "uint8");
  EXPECT_EQ(NameOf(PixelType::kFloat64), "float64");
}

TEST(LabelType, Is16BitsFrom255ForegroundLabelsOn) {
  EXPECT_EQ(LabelTypeFor(4), LabelType::kUint8);
  EXPECT_EQ(LabelTypeFor(254), LabelType::kUint8);
  EXPECT_EQ(LabelTypeFor(255), LabelType::kUint16);
}

}  // namespace
}  // namespace nnseg
