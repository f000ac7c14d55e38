#ifndef NNSEG_CORE_VOLUME_VOXEL_BUFFER_H_
#define NNSEG_CORE_VOLUME_VOXEL_BUFFER_H_

#include <cstddef>
#include <span>

#include "absl/status/statusor.h"
#include "core/geometry/index.h"
#include "core/volume/pixel_type.h"
#include "core/volume/volume.h"
#include "core/volume/voxel_memory.h"

namespace nnseg {

/// An image as its sender stored it: dense C order (channel, z, y, x), in the sender's own number
/// type, so that an int16 CT takes two bytes a voxel while it waits. Owns its memory; moves only.
class VoxelBuffer {
 public:
  VoxelBuffer() = default;

  /// Contents are not initialised; pages are touched only when written.
  /// INVALID_ARGUMENT when a size is < 1 or the byte count overflows, RESOURCE_EXHAUSTED when there
  /// is no memory.
  static absl::StatusOr<VoxelBuffer> Allocate(PixelType type, int64_t channels,
                                              const Shape3& shape);

  PixelType pixel_type() const { return type_; }
  int64_t channels() const { return channels_; }
  const Shape3& shape() const { return shape_; }

  std::span<std::byte> bytes() { return {data_.get(), size_}; }
  std::span<const std::byte> bytes() const { return {data_.get(), size_}; }

  /// The voxels converted to float, nnU-Net's working type (an unchecked cast: float64 rounds, wide
  /// integers lose low bits).
  Volume<float> ToFloat() const;

  /// The same for one channel alone.
  Volume<float> ToFloat(int64_t channel) const;

  /// INVALID_ARGUMENT if a voxel is not finite as a float, naming channel and index (z, y, x).
  absl::Status CheckFinite() const { return CheckFinite(0, channels_ * shape_.voxels()); }
  /// The same for `count` voxels from the `first` on, in memory order. REQUIRES: both within size.
  absl::Status CheckFinite(int64_t first, int64_t count) const;

 private:
  /// Converts the voxels from `first` on, counted through the channels.
  void Convert(int64_t first, std::span<float> to) const;

  PixelType type_ = PixelType::kFloat32;
  int64_t channels_ = 0;
  Shape3 shape_{};
  std::size_t size_ = 0;
  VoxelMemory<std::byte> data_;
};

/// channels * voxels * bytes per voxel. INVALID_ARGUMENT when a factor is < 1 or the product
/// overflows int64.
absl::StatusOr<int64_t> VoxelBytes(PixelType type, int64_t channels, const Shape3& shape);

}  // namespace nnseg

#endif  // NNSEG_CORE_VOLUME_VOXEL_BUFFER_H_
