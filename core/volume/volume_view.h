#ifndef NNSEG_CORE_VOLUME_VOLUME_VIEW_H_
#define NNSEG_CORE_VOLUME_VOLUME_VIEW_H_

#include <utility>

#include "core/geometry/axis_permutation.h"
#include "core/geometry/box.h"
#include "core/volume/volume.h"

namespace nnseg {

/// One channel of a volume seen through strides: a crop or an axis permutation without a copy, as
/// numpy's views are. Does not own; the volume must outlive it. Strides count elements.
template <typename T>
struct VolumeView {
  T* data = nullptr;
  Shape3 shape{};
  Index3 strides{};

  T& at(const Index3& i) const {
    return data[i[0] * strides[0] + i[1] * strides[1] + i[2] * strides[2]];
  }
  bool dense() const { return strides == shape.strides(); }

  /// The same voxels with internal axis i = this view's axis permutation[i].
  VolumeView Permuted(const AxisPermutation& permutation) const {
    return {data, permutation.Apply(shape), permutation.Apply(strides)};
  }
  /// The same voxels with the axes sorted by their strides, largest first: for loops that may visit
  /// voxels in any order and should walk through memory.
  VolumeView InMemoryOrder() const {
    VolumeView view = *this;
    for (const auto& [a, b] : {std::pair{0, 1}, std::pair{1, 2}, std::pair{0, 1}}) {
      if (view.strides[a] >= view.strides[b]) continue;
      std::swap(view.strides[a], view.strides[b]);
      std::swap(view.shape[a], view.shape[b]);
    }
    return view;
  }
  /// The voxels of `box`. REQUIRES: box within shape.
  VolumeView Cropped(const Box3& box) const { return {&at(box.begin), box.shape(), strides}; }
};

/// A view of channel `c`.
template <typename T>
VolumeView<T> ViewOf(Volume<T>& volume, int64_t c) {
  return {volume.channel(c).data(), volume.shape(), volume.shape().strides()};
}
template <typename T>
VolumeView<const T> ViewOf(const Volume<T>& volume, int64_t c) {
  return {volume.channel(c).data(), volume.shape(), volume.shape().strides()};
}

}  // namespace nnseg

#endif  // NNSEG_CORE_VOLUME_VOLUME_VIEW_H_
