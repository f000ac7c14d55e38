#ifndef NNSEG_CORE_INFERENCE_WINDOW_PREDICTION_H_
#define NNSEG_CORE_INFERENCE_WINDOW_PREDICTION_H_

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/inference/volume_predictor.h"
#include "core/tiling/mirror_axes.h"
#include "core/tiling/patch_grid.h"

namespace nnseg {

/// PredictVolume in a VolumeWindow on the device of the folds' networks. False when the device has
/// not the memory, or the folds do not fit together, and nothing was handed on: the host's way
/// takes less of the device. Errors as PredictVolume. REQUIRES: the first fold keeps volumes.
absl::StatusOr<bool> PredictInWindow(const Volume<float>& image,
                                     const std::vector<PatchNetwork*>& folds, const PatchGrid& grid,
                                     std::span<const Mirror> mirrors,
                                     const PredictionOptions& options, TileScheduler& scheduler,
                                     const CancellationToken& token,
                                     const PredictionObserver& observer);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_WINDOW_PREDICTION_H_
