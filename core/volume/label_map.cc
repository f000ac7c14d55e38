#include "core/volume/label_map.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "core/base/check.h"

namespace nnseg {

void PasteLabels(const LabelBlock& block, const Box3& box, Volume<uint16_t>& labels) {
  const Shape3 shape = block.box.shape();
  if (block.box.empty()) return;
  const Index3 offset = block.box.begin - box.begin;
  for (int64_t z = 0; z < shape[0]; ++z) {
    for (int64_t y = 0; y < shape[1]; ++y) {
      std::copy_n(&block.labels.at(0, {{z, y, 0}}), shape[2],
                  &labels.at(0, offset + Index3{{z, y, 0}}));
    }
  }
}

Volume<uint16_t> ToLabels(const VoxelBuffer& voxels) {
  NNSEG_CHECK(voxels.channels() == 1);
  auto labels = Volume<uint16_t>::Uninitialized(1, voxels.shape());
  const std::span<const std::byte> bytes = voxels.bytes();
  if (voxels.pixel_type() == PixelType::kUint8) {
    std::transform(bytes.begin(), bytes.end(), labels.voxels().begin(),
                   [](std::byte byte) { return std::to_integer<uint16_t>(byte); });
  } else {
    NNSEG_CHECK(voxels.pixel_type() == PixelType::kUint16);
    std::memcpy(labels.voxels().data(), bytes.data(), bytes.size());
  }
  return labels;
}

}  // namespace nnseg
