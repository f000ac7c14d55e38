#include "server/segment_responses.h"

#include <algorithm>
#include <chrono>

#include "proto/wire/chunk_assembler.h"
#include "proto/wire/duration_codec.h"
#include "proto/wire/geometry_codec.h"

namespace nnseg {
namespace {

using Seconds = std::chrono::duration<double>;

void SetModel(const LoadedModel& model, pb::ModelSpec& spec) {
  spec.set_name(model.bundle().manifest.name);
  spec.set_version(model.bundle().manifest.version);
}

pb::Reduction WireReduction(Reduction reduction) {
  return reduction == Reduction::kMirroring ? pb::REDUCTION_MIRRORING : pb::REDUCTION_FOLDS;
}

void AddTiming(pb::Stage stage, double seconds, pb::Summary& summary) {
  auto& timing = *summary.add_timings();
  timing.set_stage(stage);
  *timing.mutable_duration() = ToProto(Seconds(seconds));
}

}  // namespace

pb::Stage ToProto(Stage stage) {
  switch (stage) {
    case Stage::kQueued:
      return pb::STAGE_QUEUED;
    case Stage::kPreprocess:
      return pb::STAGE_PREPROCESS;
    case Stage::kInfer:
      return pb::STAGE_INFER;
    case Stage::kRestore:
      return pb::STAGE_RESTORE;
    case Stage::kPostprocess:
      break;
  }
  return pb::STAGE_POSTPROCESS;
}

pb::SegmentResponse AcceptedResponse(const std::string& request_id, const AcceptedCase& accepted) {
  pb::SegmentResponse response;
  auto& message = *response.mutable_accepted();
  message.set_request_id(request_id);
  SetModel(*accepted.model, *message.mutable_model());
  message.set_model_digest(accepted.model->bundle().digest);
  message.set_max_chunk_bytes(kMaxChunkBytes);
  return response;
}

pb::SegmentResponse ProgressResponse(const CaseProgress& progress) {
  pb::SegmentResponse response;
  auto& message = *response.mutable_progress();
  message.set_stage(ToProto(progress.stage));
  message.set_tiles_done(progress.passes_done);
  message.set_tiles_total(progress.passes_total);
  if (progress.passes_done > 0) {
    const auto left = static_cast<double>(progress.passes_total - progress.passes_done);
    *message.mutable_time_left() =
        ToProto(Seconds(progress.infer_seconds * left / static_cast<double>(progress.passes_done)));
  }
  return response;
}

pb::SegmentResponse ResultHeaderResponse(const AcceptedCase& accepted, LabelType type,
                                         const std::vector<Box3>& labelled_boxes) {
  pb::SegmentResponse response;
  auto& message = *response.mutable_result_header();
  *message.mutable_geometry() = ToProto(accepted.geometry);
  message.set_label_type(ToProto(type));
  Box3 labelled_box;
  for (const Box3& box : labelled_boxes) {
    labelled_box = BoundingBox(labelled_box, box);
    if (!accepted.regions.empty()) *message.add_labelled_regions() = ToProto(box);
  }
  *message.mutable_labelled_box() = ToProto(labelled_box);
  if (accepted.options.probabilities) {
    message.set_probability_type(accepted.probability_type);
    message.set_probability_channels(
        static_cast<int32_t>(accepted.model->bundle().plan.labels.output_channels()));
  }
  return response;
}

pb::SegmentResponse SummaryResponse(const AcceptedCase& accepted,
                                    const SegmentationSummary& summary, double receive_seconds,
                                    uint32_t label_map_crc32) {
  pb::SegmentResponse response;
  auto& message = *response.mutable_summary();
  SetModel(*accepted.model, *message.mutable_model());
  message.set_model_digest(accepted.model->bundle().digest);
  message.set_engine(summary.engine);
  message.set_precision(summary.precision);
  message.mutable_folds()->Add(summary.folds.begin(), summary.folds.end());
  message.mutable_mirroring_axes()->Add(summary.mirroring_axes.begin(),
                                        summary.mirroring_axes.end());
  message.set_tiles(summary.tiles);
  message.set_passes(summary.passes);
  AddTiming(pb::STAGE_RECEIVE, receive_seconds, message);
  for (const auto& [stage, seconds] : summary.stage_seconds) {
    AddTiming(ToProto(stage), seconds, message);
  }

  const LabelTable& labels = accepted.model->bundle().plan.labels;
  const auto& foreground = labels.foreground_labels();
  for (const LabelEntry& entry : labels.entries()) {
    for (const int value : entry.values) {
      // The ignore label never stands in a prediction.
      if (value != 0 && !std::binary_search(foreground.begin(), foreground.end(), value)) continue;
      const auto count = summary.voxels_per_label.find(value);
      auto& volume = *message.add_label_volumes();
      volume.set_value(value);
      volume.set_name(entry.name);
      volume.set_voxels(count == summary.voxels_per_label.end() ? 0 : count->second);
      volume.set_volume_ml(static_cast<double>(volume.voxels()) *
                           accepted.geometry.spacing().voxel_volume_mm3() / 1000);
    }
  }
  message.set_label_map_crc32(label_map_crc32);
  message.set_postprocessed(summary.postprocessed);
  for (const Reduction reduction : summary.reductions)
    message.add_reductions(WireReduction(reduction));
  return response;
}

}  // namespace nnseg
