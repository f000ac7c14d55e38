#ifndef NNSEG_CORE_INFERENCE_VOLUME_PREDICTOR_H_
#define NNSEG_CORE_INFERENCE_VOLUME_PREDICTOR_H_

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "core/base/cancellation.h"
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
};

/// Counts of forward passes: tiles x mirrors x folds.
struct PredictionProgress {
  int64_t passes_done = 0;
  int64_t passes_total = 0;
};

struct PredictionObserver {
  std::function<void(const PredictionProgress&)> on_progress = [](const auto&) {};
  /// Slabs come in order, without gaps, and cover the volume. An error ends the prediction with it.
  std::function<absl::Status(LogitSlab)> on_slab;
};

/// nnU-Net's sliding-window prediction of `image` (channels x network grid, internal axes,
/// unpadded) with the networks of all folds, in order. Tiles, mirrors, folds and sums follow
/// nnU-Net 2.8.1 (inference/predict_from_raw_data, sections "accumulation", "mirroring", "fold
/// ensembling"): half-precision sums in tile order, folds averaged as half-precision logits. Holds
/// heads x one patch depth x plane, for each fold.
///
/// INVALID_ARGUMENT for options out of range; INTERNAL when a logit is infinite; CANCELLED or
/// DEADLINE_EXCEEDED within one pass after `token` stops. Thread-safe.
absl::Status PredictVolume(const Volume<float>& image, const std::vector<PatchNetwork*>& folds,
                           const PredictionOptions& options, TileScheduler& scheduler,
                           const CancellationToken& token, const PredictionObserver& observer);

/// Host bytes that PredictVolume holds beyond the image, for admission.
int64_t PredictionBytes(const PatchSignature& signature, const Shape3& network_shape,
                        int64_t folds);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_VOLUME_PREDICTOR_H_
