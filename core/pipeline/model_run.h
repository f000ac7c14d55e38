#ifndef NNSEG_CORE_PIPELINE_MODEL_RUN_H_
#define NNSEG_CORE_PIPELINE_MODEL_RUN_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/model/loaded_model.h"
#include "core/pipeline/segmentation_case.h"
#include "core/preprocess/preprocessor.h"
#include "core/restore/slab_restorer.h"

namespace nnseg {

/// Parts of one image that are predicted beside each other at most.
inline constexpr int kPartsAtOnce = 4;

/// A part of the image and where its labels or probabilities go.
struct RunPart {
  Box3 box;  ///< reader axes, within the crop, not empty
  RestoreSinks sinks;
};

/// What one model's networks did for a case.
struct RunSummary {
  std::string engine;
  std::string precision;
  std::vector<std::string> folds;
  std::vector<int> mirroring_axes;
  int64_t tiles = 0;
  int64_t passes = 0;
  double infer_seconds = 0;
  double restore_seconds = 0;
};

/// Whom a run tells.
struct RunListener {
  std::function<void(int64_t passes_done)> on_progress;
  std::function<void()> on_restore;  ///< the last pass is done
};

/// Forward passes (tiles x mirrors x folds) that the model needs for boxes of an image (reader
/// axes, within the crop, not empty).
absl::StatusOr<int64_t> CountPasses(const LoadedModel& model, const SegmentationOptions& options,
                                    const CaseProperties& properties,
                                    const std::vector<Box3>& boxes);

/// Runs one model's networks over parts of a prepared case, which do not overlap, and restores
/// their labels or probabilities; over the whole crop when that is the only part. Only tiles that
/// can influence a part are run, and each part's voxels are those of the whole run. Up to
/// kPartsAtOnce parts are under way at a time; listener and sinks hear of one at a time.
/// REQUIRES: the model has networks, and `prepared` was made for it. Thread-safe.
absl::StatusOr<RunSummary> RunModel(const LoadedModel& model, const SegmentationOptions& options,
                                    const CancellationToken& token, const PreparedCase& prepared,
                                    std::vector<RunPart> parts, const RunListener& listener);

}  // namespace nnseg

#endif  // NNSEG_CORE_PIPELINE_MODEL_RUN_H_
