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
  RestoreSinks sinks;
};

/// Forward passes (tiles x mirrors x folds) that the model needs on a network grid.
absl::StatusOr<int64_t> CountPasses(const LoadedModel& model, const SegmentationOptions& options,
                                    const Shape3& network_shape);

/// Runs one model's networks over a prepared case and restores its labels or probabilities.
/// REQUIRES: the model has networks, and `prepared` was made for it. Thread-safe.
absl::StatusOr<RunSummary> RunModel(const LoadedModel& model, const SegmentationOptions& options,
                                    const CancellationToken& token, const PreparedCase& prepared,
                                    const RunListener& listener);

}  // namespace nnseg

#endif  // NNSEG_CORE_PIPELINE_MODEL_RUN_H_
