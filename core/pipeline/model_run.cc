#include "core/pipeline/model_run.h"

#include <memory>
#include <utility>

#include "core/base/status_macros.h"
#include "core/base/stop_watch.h"
#include "core/inference/volume_predictor.h"
#include "core/tiling/patch_grid.h"

namespace nnseg {
namespace {

std::vector<int> MirroringAxes(const LoadedModel& model, const SegmentationOptions& options) {
  return options.use_mirroring ? model.bundle().manifest.mirroring_axes : std::vector<int>{};
}

}  // namespace

absl::StatusOr<int64_t> CountPasses(const LoadedModel& model, const SegmentationOptions& options,
                                    const Shape3& network_shape) {
  NNSEG_ASSIGN_OR_RETURN(const LoadedModel::Selection selection,
                         model.Select(options.engine, options.precision, options.folds));
  const PatchSignature& signature = selection.networks.front()->signature();
  NNSEG_ASSIGN_OR_RETURN(const PatchGrid grid,
                         PatchGrid::Create(network_shape, signature.patch_size,
                                           signature.patch_dimensions, options.tile_step_size));
  const int64_t mirrors = int64_t{1} << MirroringAxes(model, options).size();
  return grid.tiles() * mirrors * static_cast<int64_t>(selection.networks.size());
}

absl::StatusOr<RunSummary> RunModel(const LoadedModel& model, const SegmentationOptions& options,
                                    const CancellationToken& token, const PreparedCase& prepared,
                                    const RunListener& listener) {
  NNSEG_ASSIGN_OR_RETURN(const LoadedModel::Selection selection,
                         model.Select(options.engine, options.precision, options.folds));
  RunSummary summary;
  summary.engine = selection.networks.front()->engine();
  summary.precision = selection.networks.front()->precision();
  summary.folds = selection.folds;
  summary.mirroring_axes = MirroringAxes(model, options);
  NNSEG_ASSIGN_OR_RETURN(
      const std::unique_ptr<SlabRestorer> restorer,
      SlabRestorer::Create(model.bundle().plan, prepared.properties, listener.sinks));

  const PredictionObserver observer{.on_progress =
                                        [&](const PredictionProgress& progress) {
                                          summary.passes = progress.passes_total;
                                          listener.on_progress(progress.passes_done);
                                        },
                                    .on_slab =
                                        [&](LogitSlab slab) {
                                          StopWatch watch;
                                          absl::Status status = restorer->Add(std::move(slab));
                                          summary.restore_seconds += watch.Lap();
                                          return status;
                                        },
                                    .on_labels =
                                        [&](LabelPlanes planes) {
                                          StopWatch watch;
                                          absl::Status status =
                                              restorer->AddLabels(std::move(planes));
                                          summary.restore_seconds += watch.Lap();
                                          return status;
                                        }};
  StopWatch watch;
  NNSEG_RETURN_IF_ERROR(PredictVolume(prepared.image, selection.networks,
                                      {.tile_step_size = options.tile_step_size,
                                       .use_gaussian = options.use_gaussian,
                                       .mirroring_axes = summary.mirroring_axes,
                                       .priority = options.priority,
                                       .labels = restorer->label_rule()},
                                      *selection.scheduler, token, observer));
  summary.infer_seconds = watch.Lap() - summary.restore_seconds;
  listener.on_restore();
  NNSEG_RETURN_IF_ERROR(restorer->Finish());
  summary.restore_seconds += watch.Lap();
  const int64_t mirrors = int64_t{1} << summary.mirroring_axes.size();
  summary.tiles = summary.passes / (mirrors * static_cast<int64_t>(summary.folds.size()));
  return summary;
}

}  // namespace nnseg
