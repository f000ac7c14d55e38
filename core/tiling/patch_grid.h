#ifndef NNSEG_CORE_TILING_PATCH_GRID_H_
#define NNSEG_CORE_TILING_PATCH_GRID_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/geometry/box.h"
#include "core/geometry/index.h"
#include "core/volume/volume.h"

namespace nnseg {

/// Where the tiles of a sliding window lie: nnU-Net 2.8.1's padding to the patch and its tile
/// starts (inference/sliding_window_prediction, compute_steps_for_sliding_window). Axes are
/// internal. Immutable.
///
/// Positions are in the padded volume, which is `image_shape` enlarged to the patch where it is
/// smaller, with the odd voxel after the image.
class PatchGrid {
 public:
  /// `step` is the distance of tiles in patches. Patches of 2 dimensions lie in every slice along
  /// axis 0. INVALID_ARGUMENT unless the step lies in (0, 1], all sizes are at least 1 and a patch
  /// of 2 dimensions is one slice.
  static absl::StatusOr<PatchGrid> Create(const Shape3& image_shape, const Shape3& patch_size,
                                          int patch_dimensions, double step);

  const Shape3& image_shape() const { return image_shape_; }
  const Shape3& patch_size() const { return patch_size_; }
  const Shape3& padded_shape() const { return padded_shape_; }
  /// Where the image begins in the padded volume.
  const Index3& padding_before() const { return padding_before_; }

  /// This grid with only those tiles that touch `box` of the image, so all tiles that the box's
  /// logits are made of, in the same order. REQUIRES: `box` is not empty and lies in the image.
  PatchGrid Within(const Box3& box) const;

  /// The part of the image whose logits are wanted: all of it unless Within narrowed it.
  const Box3& box() const { return box_; }
  /// What the tiles cover, in the padded volume.
  Box3 window() const;

  /// Ascending tile starts along `axis`; the last tile of the whole image touches its far edge.
  std::span<const int64_t> starts(int axis) const { return starts_[axis]; }

  int64_t tiles() const { return starts_[0].size() * tiles_per_row(); }
  /// Tiles that share a start along axis 0.
  int64_t tiles_per_row() const { return starts_[1].size() * starts_[2].size(); }
  /// Start of tile `i` in nnU-Net's order: axis 0 outermost.
  Index3 tile(int64_t i) const;

  /// Copies the tile that starts at `start`, all channels, into `patch` (channels x patch size),
  /// with zeros outside of the image. REQUIRES: `image` has the grid's image shape.
  void CopyTile(const Volume<float>& image, const Index3& start, std::span<float> patch) const;

 private:
  PatchGrid() = default;

  Shape3 image_shape_{};
  Shape3 patch_size_{};
  Shape3 padded_shape_{};
  Index3 padding_before_{};
  Box3 box_{};
  std::array<std::vector<int64_t>, 3> starts_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_TILING_PATCH_GRID_H_
