#include "core/pipeline/pipeline.h"

#include <chrono>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/float_environment.h"
#include "core/base/status_macros.h"
#include "core/inference/volume_predictor.h"
#include "core/restore/slab_restorer.h"

namespace nnseg {
namespace {

// Above this the network's grid is a mistake of units (spacing in metres, say), not an image.
constexpr int64_t kMaxNetworkVoxels = int64_t{1} << 31;

// Seconds since construction or the last Lap().
class StopWatch {
 public:
  double Lap() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(start_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::vector<int> MirroringAxes(const LoadedModel& model, const SegmentationOptions& options) {
  return options.use_mirroring ? model.bundle().manifest.mirroring_axes : std::vector<int>{};
}

// Counts voxels on their way to the observer.
class LabelCounter {
 public:
  explicit LabelCounter(const LabelTable& labels)
      : counts_(std::numeric_limits<uint16_t>::max() + 1) {
    for (const LabelEntry& entry : labels.entries()) {
      for (const int value : entry.values) values_.push_back(value);
    }
  }

  void Add(const LabelBlock& block) {
    for (const uint16_t label : block.labels.voxels()) ++counts_[label];
    counted_ += block.labels.size();
  }

  // Voxels that no block covered are background.
  std::map<int, int64_t> Finish(int64_t image_voxels) {
    counts_[0] += image_voxels - counted_;
    std::map<int, int64_t> result;
    for (const int value : values_) result[value] = counts_[static_cast<std::size_t>(value)];
    return result;
  }

 private:
  std::vector<int> values_;
  std::vector<int64_t> counts_;
  int64_t counted_ = 0;
};

}  // namespace

absl::Status ValidateOptions(const LoadedModel& model, const SegmentationOptions& options) {
  if (!std::isfinite(options.tile_step_size) || options.tile_step_size <= 0 ||
      options.tile_step_size > 1) {
    return absl::InvalidArgumentError(absl::StrCat("tile step size is ", options.tile_step_size,
                                                   ", expected more than 0 and at most 1"));
  }
  return model.Select(options.engine, options.folds).status();
}

absl::StatusOr<int64_t> EstimateWorkingBytes(const LoadedModel& model,
                                             const SegmentationOptions& options, PixelType type,
                                             const Shape3& shape, const Spacing3& spacing) {
  const SegmentationPlan& plan = model.bundle().plan;
  const auto channels = static_cast<int64_t>(plan.channels.size());
  NNSEG_RETURN_IF_ERROR(VoxelBytes(type, channels, shape).status());
  NNSEG_ASSIGN_OR_RETURN(const Shape3 network_shape, NetworkShapeBound(plan, shape, spacing));
  int64_t network_voxels = 1;
  for (const int64_t extent : network_shape) {
    if (__builtin_mul_overflow(network_voxels, extent, &network_voxels) ||
        network_voxels > kMaxNetworkVoxels) {
      return absl::InvalidArgumentError(absl::StrCat(
          "an image of ", ToString(shape), " voxels at ", spacing[0], " x ", spacing[1], " x ",
          spacing[2], " mm (z, y, x) makes a network grid of ", ToString(network_shape),
          ", expected at most ", kMaxNetworkVoxels, " voxels: is the spacing in millimetres?"));
    }
  }
  NNSEG_ASSIGN_OR_RETURN(const LoadedModel::Selection selection,
                         model.Select(options.engine, options.folds));
  const int64_t folds = static_cast<int64_t>(selection.networks.size());
  const int64_t prepared = static_cast<int64_t>(sizeof(float)) * channels * network_voxels;
  // While preparing: the image as float, one channel as double before and after resampling.
  const int64_t preparing =
      static_cast<int64_t>(sizeof(float)) * channels * shape.voxels() +
      static_cast<int64_t>(sizeof(double)) * (shape.voxels() + network_voxels);
  const int64_t predicting =
      PredictionBytes(selection.networks.front()->signature(), network_shape, folds) +
      RestoreBytes(plan, plan.transpose_forward.Apply(shape), network_shape, options.probabilities);
  return prepared + std::max(preparing, predicting);
}

absl::StatusOr<PreparedCase> Prepare(SegmentationCase& segmentation_case, StageObserver& observer) {
  observer.OnStage(Stage::kPreprocess);
  const ScopedSubnormals subnormals;
  const VoxelBuffer voxels = std::move(segmentation_case.voxels);
  return Preprocess(segmentation_case.model->bundle().plan, voxels, segmentation_case.spacing,
                    nullptr, segmentation_case.token);
}

absl::StatusOr<SegmentationSummary> Predict(const SegmentationCase& segmentation_case,
                                            PreparedCase prepared, StageObserver& observer) {
  const ScopedSubnormals subnormals;
  const LoadedModel& model = *segmentation_case.model;
  const SegmentationPlan& plan = model.bundle().plan;
  const SegmentationOptions& options = segmentation_case.options;
  const CaseProperties properties = prepared.properties;

  NNSEG_ASSIGN_OR_RETURN(LoadedModel::Selection selection,
                         model.Select(options.engine, options.folds));
  SegmentationSummary summary;
  summary.engine = selection.networks.front()->engine();
  summary.precision = selection.networks.front()->precision();
  summary.folds = selection.folds;
  summary.mirroring_axes = MirroringAxes(model, options);
  summary.labelled_box = plan.transpose_forward.Inverse().Apply(properties.crop);

  LabelCounter counter(plan.labels);
  bool result_begun = false;
  const auto begin_result = [&] {
    if (!std::exchange(result_begun, true)) {
      observer.OnResultBegins(summary.labelled_box, plan.labels.label_type());
    }
  };
  NNSEG_ASSIGN_OR_RETURN(const std::unique_ptr<SlabRestorer> restorer,
                         SlabRestorer::Create(plan, properties, {.labels = [&](LabelBlock block) {
                                                begin_result();
                                                counter.Add(block);
                                                return observer.OnLabels(std::move(block));
                                              }}));

  observer.OnStage(Stage::kInfer);
  double restore_seconds = 0;
  const PredictionObserver prediction_observer{
      .on_progress =
          [&](const PredictionProgress& progress) {
            summary.passes = progress.passes_total;
            observer.OnProgress(progress.passes_done, progress.passes_total);
          },
      .on_slab =
          [&](LogitSlab slab) {
            StopWatch watch;
            absl::Status status = restorer->Add(std::move(slab));
            restore_seconds += watch.Lap();
            return status;
          }};
  StopWatch watch;
  NNSEG_RETURN_IF_ERROR(PredictVolume(prepared.image, selection.networks,
                                      {.tile_step_size = options.tile_step_size,
                                       .use_gaussian = options.use_gaussian,
                                       .mirroring_axes = summary.mirroring_axes},
                                      *selection.scheduler, segmentation_case.token,
                                      prediction_observer));
  summary.stage_seconds[Stage::kInfer] = watch.Lap() - restore_seconds;
  observer.OnStage(Stage::kRestore);
  NNSEG_RETURN_IF_ERROR(restorer->Finish());
  begin_result();
  summary.stage_seconds[Stage::kRestore] = watch.Lap() + restore_seconds;

  const int64_t mirrors = int64_t{1} << summary.mirroring_axes.size();
  summary.tiles = summary.passes / (mirrors * static_cast<int64_t>(summary.folds.size()));
  summary.voxels_per_label = counter.Finish(properties.shape_before_cropping.voxels());
  return summary;
}

absl::StatusOr<SegmentationSummary> Segment(SegmentationCase segmentation_case,
                                            StageObserver& observer) {
  StopWatch watch;
  NNSEG_ASSIGN_OR_RETURN(PreparedCase prepared, Prepare(segmentation_case, observer));
  const double preprocess_seconds = watch.Lap();
  NNSEG_ASSIGN_OR_RETURN(SegmentationSummary summary,
                         Predict(segmentation_case, std::move(prepared), observer));
  summary.stage_seconds[Stage::kPreprocess] = preprocess_seconds;
  return summary;
}

}  // namespace nnseg
