#ifndef NNSEG_CORE_VOLUME_VOLUME_H_
#define NNSEG_CORE_VOLUME_VOLUME_H_

#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>

#include "core/geometry/index.h"
#include "core/volume/voxel_memory.h"

namespace nnseg {

/// A dense array of voxels, C order, (channel, axis 0, axis 1, axis 2). Owns its memory, moves but
/// does not copy by accident. T is a plain number type.
template <typename T>
class Volume {
 public:
  Volume() = default;

  /// Contents are not initialised. REQUIRES: channels >= 0, shape entries >= 0.
  static Volume Uninitialized(int64_t channels, const Shape3& shape) {
    Volume volume;
    volume.channels_ = channels;
    volume.shape_ = shape;
    const auto size = static_cast<std::size_t>(channels * shape.voxels());
    volume.data_.reset(static_cast<T*>(AllocateVoxels(size * sizeof(T))));
    if (volume.data_ == nullptr) throw std::bad_alloc();
    return volume;
  }

  static Volume Filled(int64_t channels, const Shape3& shape, T value) {
    Volume volume = Uninitialized(channels, shape);
    for (T& v : volume.voxels()) v = value;
    return volume;
  }

  int64_t channels() const { return channels_; }
  const Shape3& shape() const { return shape_; }
  int64_t size() const { return channels_ * shape_.voxels(); }
  bool empty() const { return size() == 0; }

  std::span<T> voxels() { return {data_.get(), static_cast<std::size_t>(size())}; }
  std::span<const T> voxels() const { return {data_.get(), static_cast<std::size_t>(size())}; }

  std::span<T> channel(int64_t c) { return voxels().subspan(Offset(c), PerChannel()); }
  std::span<const T> channel(int64_t c) const { return voxels().subspan(Offset(c), PerChannel()); }

  T& at(int64_t c, const Index3& i) { return data_[Linear(c, i)]; }
  const T& at(int64_t c, const Index3& i) const { return data_[Linear(c, i)]; }

 private:
  std::size_t PerChannel() const { return static_cast<std::size_t>(shape_.voxels()); }
  std::size_t Offset(int64_t c) const { return static_cast<std::size_t>(c) * PerChannel(); }
  std::size_t Linear(int64_t c, const Index3& i) const {
    return Offset(c) + static_cast<std::size_t>((i[0] * shape_[1] + i[1]) * shape_[2] + i[2]);
  }

  int64_t channels_ = 0;
  Shape3 shape_{};
  VoxelMemory<T> data_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_VOLUME_VOLUME_H_
