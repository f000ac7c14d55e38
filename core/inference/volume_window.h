#ifndef NNSEG_CORE_INFERENCE_VOLUME_WINDOW_H_
#define NNSEG_CORE_INFERENCE_VOLUME_WINDOW_H_

#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "core/inference/label_rule.h"
#include "core/inference/patch_network.h"
#include "core/tiling/logit_slab.h"
#include "core/tiling/mirror_axes.h"
#include "core/tiling/patch_grid.h"

namespace nnseg {

/// Batches of a window that are queued or under way at once: so much may be finished and not taken.
inline constexpr int64_t kBatchesAhead = 2;

/// What a VolumeWindow is opened for.
struct WindowRequest {
  const Volume<float>& image;            ///< channels x the grid's image shape
  std::span<PatchNetwork* const> folds;  ///< in order
  const PatchGrid& grid;                 ///< must outlive the window
  std::span<const Mirror> mirrors;       ///< in order
  std::span<const Half> importance;      ///< weight of each voxel of a tile
  const LabelRule* labels = nullptr;     ///< null: logits are taken
};

/// What the memory of a VolumeWindow depends on.
struct WindowShape {
  Shape3 image;   ///< voxels of the grid's image
  Shape3 window;  ///< voxels that the tiles cover, padding included
  int64_t folds = 1;
  int64_t mirrors = 1;
  /// Voxels of what a label rule leads to; nothing: logits are taken.
  std::optional<Shape3> labels;
};

/// The sliding window over one volume where image, sums and all that becomes of them stay on the
/// device of the networks: only finished logits or labels leave it. The arithmetic is that of
/// SlabAccumulator and core/restore.
///
/// To a TileScheduler it is a network whose passes have empty buffers: each runs the next pass, in
/// the order mirror, fold, tile, the first fastest. What they complete may be taken by the device's
/// thread at any time.
class VolumeWindow : public PatchNetwork {
 public:
  /// The next slab that is finished; empty when there is none. INTERNAL when a logit is infinite.
  /// REQUIRES: no label rule was given.
  virtual absl::StatusOr<LogitSlab> TakeLogits() = 0;
  /// The labels that finished logits complete; none, perhaps. Errors as TakeLogits. REQUIRES: a
  /// label rule was given.
  virtual absl::StatusOr<LabelPlanes> TakeLabels() = 0;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_VOLUME_WINDOW_H_
