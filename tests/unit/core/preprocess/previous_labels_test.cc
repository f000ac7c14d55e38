#include "core/preprocess/previous_labels.h"

#include <algorithm>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nnseg {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

template <typename T>
Volume<T> Of(const Shape3& shape, const std::vector<T>& voxels) {
  auto volume = Volume<T>::Uninitialized(1, shape);
  std::copy(voxels.begin(), voxels.end(), volume.voxels().begin());
  return volume;
}

TEST(CropPreviousLabels, MarksOnlyBackgroundOutsideOfTheMask) {
  const auto labels = Of<uint16_t>({{1, 2, 4}}, {9, 9, 9, 9, 0, 0, 7, 7});
  const auto mask = Of<uint8_t>({{1, 1, 3}}, {1, 0, 0});
  const auto cropped = CropPreviousLabels(labels, {{{0, 1, 0}}, {{1, 2, 3}}}, mask);
  EXPECT_EQ(cropped.shape(), (Shape3{{1, 1, 3}}));
  EXPECT_THAT(cropped.voxels(), ElementsAre(0, -1, 7));
}

TEST(NormalizationMask, HoldsWhereALabelIsNotMinusOne) {
  EXPECT_THAT(NormalizationMask(Of<int32_t>({{1, 1, 4}}, {-1, 0, 3, -1})).voxels(),
              ElementsAre(0, 1, 1, 0));
}

TEST(EncodeOneHot, WritesOneChannelForEachForegroundLabel) {
  auto image = Volume<float>::Filled(3, {{1, 1, 5}}, 0.5F);
  const std::vector<int> foreground = {1, 2};
  EncodeOneHot(Of<int32_t>({{1, 1, 5}}, {-1, 0, 1, 2, 300}), foreground, 1, image);
  EXPECT_THAT(image.channel(0), ElementsAreArray(std::vector<float>(5, 0.5F)));
  EXPECT_THAT(image.channel(1), ElementsAre(0, 0, 1, 0, 0));
  EXPECT_THAT(image.channel(2), ElementsAre(0, 0, 0, 1, 0));
}

}  // namespace
}  // namespace nnseg
