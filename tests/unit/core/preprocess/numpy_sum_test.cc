#include "core/preprocess/numpy_sum.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "gtest/gtest.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

// Values whose float sums depend on the order: 1/3, 2/3, ... over many magnitudes.
Volume<float> Wild(const Shape3& shape) {
  auto volume = Volume<float>::Uninitialized(1, shape);
  for (int64_t i = 0; i < volume.size(); ++i) {
    volume.voxels()[i] = static_cast<float>(i * 7919 % 10007) / 3;
  }
  return volume;
}

TEST(MomentsOf, AreThoseOfNumpyForAContiguousArray) {
  // numpy.arange(1, 5) and its mean and std.
  auto volume = CountingVolume<float>(1, {{1, 2, 2}});
  for (float& voxel : volume.voxels()) voxel += 1;
  const auto [mean, std] = MomentsOf(ViewOf(std::as_const(volume), 0));
  EXPECT_EQ(mean, 2.5F);
  EXPECT_EQ(std, 1.118034F);
}

TEST(MomentsOf, AConstantImageDeviatesByNothing) {
  const auto volume = Volume<float>::Filled(1, {{9, 31, 17}}, 4096);
  const auto [mean, std] = MomentsOf(ViewOf(volume, 0));
  EXPECT_EQ(mean, 4096);
  EXPECT_EQ(std, 0);
}

TEST(MomentsOf, FollowMemoryNotTheOrderOfAxes) {
  const Volume<float> volume = Wild({{20, 30, 40}});
  const auto view = ViewOf(volume, 0);
  const NumpyMoments straight = MomentsOf(view);
  for (const std::array<int, 3> axes : {std::array{2, 1, 0}, std::array{1, 2, 0}}) {
    const NumpyMoments turned = MomentsOf(view.Permuted(AxisPermutation::Create(axes).value()));
    EXPECT_EQ(turned.mean, straight.mean);
    EXPECT_EQ(turned.std, straight.std);
  }
}

// What numpy 2.4.6 prints for Wild's values, more than one thread takes at a time.
TEST(MomentsOf, AreThoseOfNumpyForAnArrayOfManyParts) {
  const Volume<float> volume = Wild({{70, 50, 60}});
  const auto view = ViewOf(volume, 0);
  const NumpyMoments whole = MomentsOf(view);
  EXPECT_EQ(whole.mean, 1667.6786F);
  EXPECT_EQ(whole.std, 962.9281F);
  const NumpyMoments cropped = MomentsOf(view.Cropped({{{1, 2, 3}}, {{69, 49, 58}}}));
  EXPECT_EQ(cropped.mean, 1667.7909F);
  EXPECT_EQ(cropped.std, 962.88684F);
  const NumpyMoments planes = MomentsOf(view.Cropped({{{5, 0, 0}}, {{65, 50, 60}}}));
  EXPECT_EQ(planes.mean, 1667.6761F);
  EXPECT_EQ(planes.std, 962.9273F);
}

TEST(MaskedMomentsOf, AreThoseOfNumpyForAnArrayOfManyParts) {
  const Volume<float> volume = Wild({{70, 50, 60}});
  auto mask = Volume<uint8_t>::Uninitialized(1, volume.shape());
  for (int64_t i = 0; i < mask.size(); ++i) mask.voxels()[i] = i % 5 != 0;
  const auto [mean, std] = MaskedMomentsOf(ViewOf(volume, 0), ViewOf(std::as_const(mask), 0));
  EXPECT_EQ(mean, 1667.5928F);
  EXPECT_EQ(std, 962.9151F);
}

TEST(MaskedMomentsOf, LookOnlyUnderTheMask) {
  auto volume = Volume<float>::Filled(1, {{1, 1, 6}}, 0);
  for (int64_t i = 0; i < 4; ++i) volume.voxels()[i] = static_cast<float>(i + 1);
  auto mask = Volume<uint8_t>::Filled(1, volume.shape(), 0);
  for (int64_t i = 0; i < 4; ++i) mask.voxels()[i] = 1;
  const auto [mean, std] =
      MaskedMomentsOf(ViewOf(std::as_const(volume), 0), ViewOf(std::as_const(mask), 0));
  EXPECT_EQ(mean, 2.5F);
  EXPECT_EQ(std, 1.118034F);
}

TEST(MaskedMomentsOf, OfAFullMaskAreThoseOfACopyInTheOrderOfTheView) {
  const Volume<float> volume = Wild({{20, 30, 40}});
  const auto view = ViewOf(volume, 0).Permuted(AxisPermutation::Create({2, 0, 1}).value());
  const auto mask = Volume<uint8_t>::Filled(1, view.shape, 1);
  auto copy = Volume<float>::Uninitialized(1, view.shape);
  for (int64_t z = 0; z < 40; ++z) {
    for (int64_t y = 0; y < 20; ++y) {
      for (int64_t x = 0; x < 30; ++x) copy.at(0, {{z, y, x}}) = view.at({{z, y, x}});
    }
  }
  const NumpyMoments masked = MaskedMomentsOf(view, ViewOf(mask, 0));
  const NumpyMoments copied = MomentsOf(ViewOf(std::as_const(copy), 0));
  EXPECT_EQ(masked.mean, copied.mean);
  EXPECT_EQ(masked.std, copied.std);
}

TEST(MaskedMomentsOf, AreZeroForAnEmptyMask) {
  const auto volume = Volume<float>::Filled(1, {{1, 1, 2}}, 3);
  const auto mask = Volume<uint8_t>::Filled(1, volume.shape(), 0);
  EXPECT_EQ(MaskedMomentsOf(ViewOf(volume, 0), ViewOf(mask, 0)).mean, 0);
}

}  // namespace
}  // namespace nnseg
