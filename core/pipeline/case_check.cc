#include "core/pipeline/case_check.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/ensemble/probability_ensemble.h"
#include "core/inference/volume_predictor.h"
#include "core/model/precision_choice.h"
#include "core/pipeline/model_run.h"
#include "core/pipeline/run_order.h"
#include "core/postprocess/postprocessing_chain.h"
#include "core/preprocess/preprocessor.h"
#include "core/restore/slab_restorer.h"

namespace nnseg {
namespace {

// Above this the network's grid is a mistake of units (spacing in metres, say), not an image.
constexpr int64_t kMaxNetworkVoxels = int64_t{1} << 31;
constexpr auto kFloatBytes = static_cast<int64_t>(sizeof(float));
constexpr auto kDoubleBytes = static_cast<int64_t>(sizeof(double));
constexpr auto kLabelBytes = static_cast<int64_t>(sizeof(uint16_t));

/// Of predicting and restoring one box (reader axes) of an uncropped image.
WorkingBytes BoxBytes(const SegmentationPlan& plan, const std::vector<PatchNetwork*>& folds,
                      int64_t mirrors, bool probabilities, const CaseProperties& properties,
                      const Box3& box) {
  const RestoreBoxes boxes = BoxesFor(plan, properties, plan.transpose_forward.Apply(box));
  // The whole grid is asked for by splines that resample whole channels, among others.
  const bool whole = boxes.logits == Box3::Whole(properties.network_shape);
  const Shape3 logits = boxes.logits.shape();
  // Where labels cannot be decided on the device it needs less.
  const auto labels = probabilities ? std::optional<Shape3>() : std::optional(boxes.image.shape());
  return {
      .host = PredictionBytes(folds.front()->signature(), properties.network_shape,
                              static_cast<int64_t>(folds.size()), logits) +
              RestoreBytes(plan, whole ? properties.crop.shape() : boxes.image.shape(), logits,
                           probabilities),
      .device = PredictionDeviceBytes(folds, properties.network_shape, logits, mirrors, labels)};
}

/// Of the boxes that are under way at once, if they are the largest.
int64_t SumOfLargest(const std::vector<WorkingBytes>& boxes, int64_t WorkingBytes::*memory) {
  std::vector<int64_t> bytes;
  bytes.reserve(boxes.size());
  for (const WorkingBytes& box : boxes) bytes.push_back(box.*memory);
  std::sort(bytes.begin(), bytes.end(), std::greater<>());
  bytes.resize(std::min<std::size_t>(bytes.size(), kPartsAtOnce));
  return std::accumulate(bytes.begin(), bytes.end(), int64_t{0});
}

/// Of one run over boxes of an image, at its peak.
absl::StatusOr<WorkingBytes> RunBytes(const LoadedModel& model, const SegmentationOptions& options,
                                      bool probabilities, const Shape3& shape,
                                      const Spacing3& spacing, const std::vector<Box3>& boxes) {
  const SegmentationPlan& plan = model.bundle().plan;
  NNSEG_ASSIGN_OR_RETURN(const CaseProperties properties,
                         PropertiesOf(plan, shape, Box3::Whole(shape), spacing));
  const Shape3& network_shape = properties.network_shape;
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
                         model.Select(options.engine, options.precision, options.folds));
  const PatchSignature& signature = selection.networks.front()->signature();
  const auto channels = static_cast<int64_t>(plan.channels.size());
  const int64_t prepared = kFloatBytes * signature.input_channels * network_voxels;
  // While preparing: the image as float, one channel as double before and after resampling.
  const int64_t preparing =
      kFloatBytes * channels * shape.voxels() + kDoubleBytes * (shape.voxels() + network_voxels);
  const int64_t mirrors =
      options.use_mirroring ? int64_t{1} << model.bundle().manifest.mirroring_axes.size() : 1;
  std::vector<WorkingBytes> box_bytes;
  box_bytes.reserve(boxes.size());
  for (const Box3& box : boxes) {
    box_bytes.push_back(
        BoxBytes(plan, selection.networks, mirrors, probabilities, properties, box));
  }
  const int64_t predicting = SumOfLargest(box_bytes, &WorkingBytes::host);
  return WorkingBytes{
      .host = prepared + std::max(preparing, predicting),
      .device = options.use_window ? SumOfLargest(box_bytes, &WorkingBytes::device) : 0};
}

}  // namespace

absl::Status ResolvePrecision(const LoadedModel& model, bool brings_previous_labels,
                              SegmentationOptions& options) {
  std::vector<const LoadedModel*> models;
  for (const CaseRun& run : RunsOf(model, brings_previous_labels)) models.push_back(run.model);
  NNSEG_ASSIGN_OR_RETURN(options.precision,
                         ChoosePrecision(models, model.bundle().manifest.precision_policy,
                                         options.engine, options.precision));
  return absl::OkStatus();
}

absl::Status ValidateOptions(const LoadedModel& model, const SegmentationOptions& options,
                             bool brings_previous_labels, bool has_regions) {
  if (has_regions && options.postprocess.value_or(false)) {
    return absl::InvalidArgumentError(
        "post-processing is on, expected off or the default with regions: its rules compare parts "
        "of the whole label map");
  }
  if (!std::isfinite(options.tile_step_size) || options.tile_step_size <= 0 ||
      options.tile_step_size > 1) {
    return absl::InvalidArgumentError(absl::StrCat("tile step size is ", options.tile_step_size,
                                                   ", expected more than 0 and at most 1"));
  }
  if (brings_previous_labels && !TakesPreviousLabels(model)) {
    return absl::InvalidArgumentError(
        "got labels of a previous stage, expected none: the model is no cascade");
  }
  for (const auto& [run, is_previous_stage] : RunsOf(model, brings_previous_labels)) {
    NNSEG_RETURN_IF_ERROR(run->Select(options.engine, options.precision, options.folds).status());
    const SegmentationPlan& plan = run->bundle().plan;
    if (plan.is_cascade() && !brings_previous_labels && run->previous_stage() == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("labels of the previous stage ", plan.previous_stage,
                       " are missing: the bundle names no model that makes them"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<WorkingBytes> EstimateWorkingBytes(const LoadedModel& model,
                                                  const SegmentationOptions& options,
                                                  bool brings_previous_labels, PixelType type,
                                                  const Shape3& shape, const Spacing3& spacing,
                                                  const std::vector<Box3>& regions) {
  const SegmentationPlan& plan = model.bundle().plan;
  NNSEG_RETURN_IF_ERROR(
      VoxelBytes(type, static_cast<int64_t>(plan.channels.size()), shape).status());
  const bool ensemble = !model.members().empty();
  const std::vector<Box3> whole{Box3::Whole(shape)};
  const std::vector<Box3>& boxes = regions.empty() ? whole : regions;
  WorkingBytes peak;
  for (const CaseRun& run : RunsOf(model, brings_previous_labels)) {
    NNSEG_ASSIGN_OR_RETURN(const WorkingBytes bytes,
                           RunBytes(*run.model, options, ensemble || options.probabilities, shape,
                                    spacing, run.is_previous_stage ? whole : boxes));
    peak.host = std::max(peak.host, bytes.host);
    peak.device = std::max(peak.device, bytes.device);
  }
  // What outlives a run.
  int64_t held = 0;
  if (TakesPreviousLabels(model)) held += kLabelBytes * shape.voxels();
  for (const Box3& box : boxes) {
    if (ensemble) held += ProbabilityEnsemble::Bytes(box.shape(), plan.labels.output_channels());
  }
  if (regions.empty() && !model.bundle().postprocessing.empty() &&
      options.postprocess.value_or(true)) {
    held += kLabelBytes * shape.voxels();
    peak.host = std::max(peak.host, PostprocessingBytes(shape.voxels()));
  }
  peak.host += held;
  return peak;
}

}  // namespace nnseg
