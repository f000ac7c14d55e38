#include "core/preprocess/previous_labels.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/parallel_for.h"
#include "core/volume/volume_view.h"

namespace nnseg {
namespace {

constexpr int32_t kOutside = -1;

}  // namespace

Volume<int32_t> CropPreviousLabels(const Volume<uint16_t>& labels, const Box3& box,
                                   const Volume<uint8_t>& mask) {
  NNSEG_CHECK(mask.shape() == box.shape());
  const VolumeView<const uint16_t> within = ViewOf(labels, 0).Cropped(box);
  auto cropped = Volume<int32_t>::Uninitialized(1, box.shape());
  ParallelFor(box.shape()[0], [&](int64_t begin, int64_t end) {
    for (int64_t z = begin; z < end; ++z) {
      for (int64_t y = 0; y < box.shape()[1]; ++y) {
        for (int64_t x = 0; x < box.shape()[2]; ++x) {
          const Index3 i{{z, y, x}};
          const bool outside = within.at(i) == 0 && mask.at(0, i) == 0;
          cropped.at(0, i) = outside ? kOutside : within.at(i);
        }
      }
    }
  });
  return cropped;
}

Volume<uint8_t> NormalizationMask(const Volume<int32_t>& labels) {
  auto mask = Volume<uint8_t>::Uninitialized(1, labels.shape());
  ParallelFor(labels.size(), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) mask.voxels()[i] = labels.voxels()[i] != kOutside;
  });
  return mask;
}

void EncodeOneHot(const Volume<int32_t>& labels, std::span<const int> foreground,
                  int64_t first_channel, Volume<float>& image) {
  NNSEG_CHECK(labels.shape() == image.shape());
  for (const int label : foreground) {
    const std::span<float> channel = image.channel(first_channel++);
    ParallelFor(labels.size(), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        channel[i] = labels.voxels()[i] == label ? 1.0F : 0.0F;
      }
    });
  }
}

}  // namespace nnseg
