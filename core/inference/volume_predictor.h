#ifndef NNSEG_CORE_INFERENCE_VOLUME_PREDICTOR_H_
#define NNSEG_CORE_INFERENCE_VOLUME_PREDICTOR_H_

#include <functional>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/geometry/box.h"
#include "core/inference/label_rule.h"
#include "core/inference/patch_network.h"
#include "core/inference/priority.h"
#include "core/inference/tile_scheduler.h"
#include "core/tiling/logit_slab.h"
#include "core/volume/volume.h"

namespace nnseg {

/// The sliding window's knobs, with nnU-Net's defaults.
struct PredictionOptions {
  double tile_step_size = 0.5;      ///< in patches, in (0, 1]
  bool use_gaussian = true;         ///< weight tiles by a Gaussian, else equally
  std::vector<int> mirroring_axes;  ///< patch axes (internal) to mirror over; empty: none
  Priority priority = Priority::kBatch;
  /// The part of the network's grid whose logits are wanted; nothing: all of it. Only tiles that
  /// touch it are predicted, those of the whole grid in the same order, so its logits have the same
  /// bits. Not empty, within the grid.
  std::optional<Box3> box;
  /// Keep the volume on the networks' device, if they can: a window needs PredictionDeviceBytes
  /// there. Else the host brings each pass, which needs none.
  bool use_window = true;
  /// Where the networks keep volumes on their device, labels are decided there by this rule and
  /// come by on_labels, not on_slab; null: logits come in any case.
  const LabelRule* labels = nullptr;
};

/// Counts of forward passes: tiles x mirrors x folds.
struct PredictionProgress {
  int64_t passes_done = 0;
  int64_t passes_total = 0;
};

struct PredictionObserver {
  std::function<void(const PredictionProgress&)> on_progress = [](const auto&) {};
  /// Slabs come in order, without gaps, and cover the grid or the box that is wanted. An error ends
  /// the prediction with it.
  std::function<absl::Status(LogitSlab)> on_slab;
  /// The same for labels instead of logits, if there is a rule for them.
  std::function<absl::Status(LabelPlanes)> on_labels;
};

/// nnU-Net's sliding-window prediction of `image` (channels x network grid, internal axes,
/// unpadded) with the networks of all folds, in order. Tiles, mirrors, folds and sums follow
/// nnU-Net 2.8.1 (inference/predict_from_raw_data, sections "accumulation", "mirroring", "fold
/// ensembling"): half-precision sums in tile order, folds averaged as half-precision logits. Holds
/// heads x one patch depth x the plane that the tiles cover, for each fold.
///
/// INVALID_ARGUMENT for options out of range; INTERNAL when a logit is infinite; CANCELLED or
/// DEADLINE_EXCEEDED within one pass after `token` stops. Thread-safe.
absl::Status PredictVolume(const Volume<float>& image, const std::vector<PatchNetwork*>& folds,
                           const PredictionOptions& options, TileScheduler& scheduler,
                           const CancellationToken& token, const PredictionObserver& observer);

/// Forward passes that PredictVolume makes of a grid of `network_shape` voxels with the options and
/// so many folds. INVALID_ARGUMENT as PredictVolume.
absl::StatusOr<int64_t> CountPasses(const PatchSignature& signature, const Shape3& network_shape,
                                    const PredictionOptions& options, int64_t folds);

/// Host bytes that PredictVolume holds beyond the image, at most, for admission; of a box of
/// `box_shape` voxels if only that is wanted.
int64_t PredictionBytes(const PatchSignature& signature, const Shape3& network_shape, int64_t folds,
                        const std::optional<Shape3>& box_shape = std::nullopt);

/// Device bytes that PredictVolume holds with a window, at most, beside the networks and their
/// passes: of a box of `box_shape` voxels under so many mirrors, and of labels of `label_shape`
/// voxels if they are decided there. 0 where `folds` keep no volumes.
int64_t PredictionDeviceBytes(const std::vector<PatchNetwork*>& folds, const Shape3& network_shape,
                              const Shape3& box_shape, int64_t mirrors,
                              const std::optional<Shape3>& label_shape);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_VOLUME_PREDICTOR_H_
