#include "core/pipeline/pipeline.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/float_environment.h"
#include "core/base/status_macros.h"
#include "core/ensemble/probability_ensemble.h"
#include "core/pipeline/case_check.h"
#include "core/pipeline/deadline_reduction.h"
#include "core/pipeline/label_delivery.h"
#include "core/pipeline/model_run.h"
#include "core/pipeline/run_order.h"

namespace nnseg {
namespace {

// The mean of an ensemble is decided and delivered in blocks of about this many voxels.
constexpr int64_t kBlockVoxels = int64_t{1} << 20;

std::vector<CaseRun> RunsOf(const SegmentationCase& segmentation_case) {
  return RunsOf(*segmentation_case.model, segmentation_case.previous_labels.has_value());
}

const Volume<uint16_t>* BroughtLabels(const SegmentationCase& segmentation_case,
                                      const LoadedModel& model) {
  const auto& labels = segmentation_case.previous_labels;
  return labels.has_value() && model.bundle().plan.is_cascade() ? &*labels : nullptr;
}

/// What is labelled of an image whose non-zero box is `crop`, reader axes.
std::vector<Box3> LabelledBoxes(const SegmentationCase& segmentation_case, const Box3& crop) {
  if (segmentation_case.regions.empty()) return {crop};
  std::vector<Box3> boxes;
  for (const Box3& region : segmentation_case.regions) {
    const Box3 box = Intersection(region, crop);
    if (!box.empty()) boxes.push_back(box);
  }
  return boxes;
}

/// One case on its way through its runs.
class CaseRunner {
 public:
  /// `first` was prepared for the first run.
  CaseRunner(const SegmentationCase& segmentation_case, Preparation first, StageObserver& observer)
      : case_(segmentation_case),
        options_(segmentation_case.options),
        runs_(RunsOf(segmentation_case)),
        first_(std::move(first.prepared)),
        shape_(ToReader(first_->properties.shape_before_cropping)),
        crop_(ToReader(first_->properties.crop)),
        boxes_(LabelledBoxes(segmentation_case, crop_)),
        observer_(observer) {
    summary_.stage_seconds[Stage::kPreprocess] = first.seconds;
  }

  /// The image's shape and the boxes that get labels, which every run shares; reader axes.
  const Shape3& shape() const { return shape_; }
  const std::vector<Box3>& boxes() const { return boxes_; }

  /// Before the first run: leaves out what must be to meet the deadline, if the case allows it, and
  /// counts, so that progress is told against the whole.
  absl::Status Plan() {
    const auto passes_of = [&](const CaseRun& run,
                               const SegmentationOptions& options) -> absl::StatusOr<int64_t> {
      NNSEG_ASSIGN_OR_RETURN(const CaseProperties properties,
                             PropertiesOf(run.model->bundle().plan, shape_, crop_, case_.spacing));
      return CountPasses(*run.model, options, properties,
                         run.is_previous_stage ? WholeCrop() : boxes_);
    };
    NNSEG_ASSIGN_OR_RETURN(summary_.reductions,
                           ReduceToDeadline(runs_, case_.token.deadline(), passes_of, options_));
    for (const CaseRun& run : runs_) {
      NNSEG_ASSIGN_OR_RETURN(const int64_t passes, passes_of(run, options_));
      passes_total_ += passes;
    }
    return absl::OkStatus();
  }

  /// One model that has networks, over all boxes, whose sinks `sinks_of` gives by number; a
  /// cascade's previous stage runs before it.
  absl::Status Run(const LoadedModel& model,
                   const std::function<RestoreSinks(std::size_t box)>& sinks_of) {
    std::vector<RunPart> parts;
    for (std::size_t i = 0; i < boxes_.size(); ++i) parts.push_back({boxes_[i], sinks_of(i)});
    return Run(model, std::move(parts));
  }

  /// Of all runs so far.
  SegmentationSummary& summary() { return summary_; }

 private:
  template <typename Place>
  Place ToReader(const Place& internal) const {
    return runs_.front().model->bundle().plan.transpose_forward.Inverse().Apply(internal);
  }

  // What a previous stage is run over.
  std::vector<Box3> WholeCrop() const {
    return boxes_.empty() ? std::vector<Box3>{} : std::vector<Box3>{crop_};
  }

  absl::Status Run(const LoadedModel& model, std::vector<RunPart> parts) {
    const Volume<uint16_t>* previous = BroughtLabels(case_, model);
    Volume<uint16_t> made;
    if (model.bundle().plan.is_cascade() && previous == nullptr) {
      NNSEG_RETURN_IF_ERROR(RunPreviousStage(*model.previous_stage(), made));
      previous = &made;
    }
    NNSEG_ASSIGN_OR_RETURN(const std::shared_ptr<const PreparedCase> prepared,
                           PrepareRun(model, previous));
    made = {};
    observer_.OnStage(Stage::kInfer);
    NNSEG_ASSIGN_OR_RETURN(
        RunSummary run, RunModel(model, options_, case_.token, *prepared, std::move(parts),
                                 {.on_progress =
                                      [&](int64_t done) {
                                        observer_.OnProgress(summary_.passes + done, passes_total_);
                                      },
                                  .on_restore = [&] { observer_.OnStage(Stage::kRestore); }}));
    summary_.engine = std::move(run.engine);
    summary_.precision = std::move(run.precision);
    summary_.folds = std::move(run.folds);
    summary_.mirroring_axes = std::move(run.mirroring_axes);
    summary_.tiles += run.tiles;
    summary_.passes += run.passes;
    summary_.stage_seconds[Stage::kInfer] += run.infer_seconds;
    summary_.stage_seconds[Stage::kRestore] += run.restore_seconds;
    return absl::OkStatus();
  }

  // Its label map, as nnU-Net exports it: without post-processing.
  absl::Status RunPreviousStage(const LoadedModel& stage, Volume<uint16_t>& labels) {
    labels = Volume<uint16_t>::Filled(1, shape_, 0);
    std::vector<RunPart> parts;
    for (const Box3& box : WholeCrop()) {
      parts.push_back({box, {.labels = [&labels](const LabelBlock& block) {
                         PasteLabels(block, Box3::Whole(labels.shape()), labels);
                         return absl::OkStatus();
                       }}});
    }
    return Run(stage, std::move(parts));
  }

  absl::StatusOr<std::shared_ptr<const PreparedCase>> PrepareRun(const LoadedModel& model,
                                                                 const Volume<uint16_t>* previous) {
    if (first_ != nullptr) return std::exchange(first_, nullptr);
    observer_.OnStage(Stage::kPreprocess);
    NNSEG_ASSIGN_OR_RETURN(Preparation preparation, PrepareFor(model, case_, previous));
    summary_.stage_seconds[Stage::kPreprocess] += preparation.seconds;
    return std::move(preparation.prepared);
  }

  const SegmentationCase& case_;
  SegmentationOptions options_;  // without what is left out to meet the deadline
  const std::vector<CaseRun> runs_;
  std::shared_ptr<const PreparedCase> first_;
  const Shape3 shape_;
  const Box3 crop_;
  const std::vector<Box3> boxes_;
  StageObserver& observer_;
  int64_t passes_total_ = 0;
  SegmentationSummary summary_;
};

RestoreSinks SinksOf(LabelDelivery& delivery, bool probabilities) {
  RestoreSinks sinks{.labels = [&](LabelBlock block) { return delivery.Add(std::move(block)); }};
  if (probabilities) {
    sinks.probabilities = [&](ProbabilityBlock block) { return delivery.Add(std::move(block)); };
  }
  return sinks;
}

absl::Status RunEnsemble(const LoadedModel& ensemble, bool probabilities, CaseRunner& runner,
                         LabelDelivery& delivery) {
  const LabelTable& labels = ensemble.bundle().plan.labels;
  std::deque<ProbabilityEnsemble> means;  // of each box
  for (const Box3& box : runner.boxes()) {
    means.emplace_back(box, labels.output_channels(),
                       static_cast<int64_t>(ensemble.members().size()));
  }
  for (const auto& member : ensemble.members()) {
    NNSEG_RETURN_IF_ERROR(runner.Run(*member, [&](std::size_t box) {
      return RestoreSinks{.probabilities = [&mean = means[box]](const ProbabilityBlock& block) {
        mean.Add(block);
        return absl::OkStatus();
      }};
    }));
  }
  for (std::size_t i = 0; i < means.size(); ++i) {
    const Shape3 shape = runner.boxes()[i].shape();
    const int64_t planes = std::max<int64_t>(1, kBlockVoxels / (shape[1] * shape[2]));
    for (int64_t begin = 0; begin < shape[0]; begin += planes) {
      ProbabilityBlock block = means[i].Mean(begin, std::min(begin + planes, shape[0]));
      NNSEG_RETURN_IF_ERROR(delivery.Add(LabelsOf(labels, block)));
      if (probabilities) NNSEG_RETURN_IF_ERROR(delivery.Add(std::move(block)));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Preparation> Prepare(SegmentationCase& segmentation_case, StageObserver& observer) {
  observer.OnStage(Stage::kPreprocess);
  const ScopedSubnormals subnormals;
  NNSEG_RETURN_IF_ERROR(ResolvePrecision(*segmentation_case.model,
                                         segmentation_case.previous_labels.has_value(),
                                         segmentation_case.options));
  const std::vector<CaseRun> runs = RunsOf(segmentation_case);
  const LoadedModel& model = *runs.front().model;
  absl::StatusOr<Preparation> first =
      PrepareFor(model, segmentation_case, BroughtLabels(segmentation_case, model));
  if (runs.size() == 1) segmentation_case.voxels = nullptr;
  return first;
}

absl::StatusOr<SegmentationSummary> Predict(const SegmentationCase& segmentation_case,
                                            Preparation first, StageObserver& observer) {
  const ScopedSubnormals subnormals;
  const LoadedModel& model = *segmentation_case.model;
  const SegmentationOptions& options = segmentation_case.options;
  CaseRunner runner(segmentation_case, std::move(first), observer);
  NNSEG_RETURN_IF_ERROR(runner.Plan());
  LabelDelivery delivery(segmentation_case, runner.boxes(), observer);
  if (model.members().empty()) {
    NNSEG_RETURN_IF_ERROR(
        runner.Run(model, [&](std::size_t) { return SinksOf(delivery, options.probabilities); }));
  } else {
    NNSEG_RETURN_IF_ERROR(RunEnsemble(model, options.probabilities, runner, delivery));
  }
  NNSEG_RETURN_IF_ERROR(delivery.Finish());

  SegmentationSummary summary = std::move(runner.summary());
  for (const Box3& box : runner.boxes()) {
    summary.labelled_box = BoundingBox(summary.labelled_box, box);
  }
  summary.postprocessed = delivery.postprocesses();
  if (summary.postprocessed) {
    summary.stage_seconds[Stage::kPostprocess] = delivery.postprocess_seconds();
  }
  summary.voxels_per_label = delivery.VoxelsPerLabel(runner.shape().voxels());
  return summary;
}

absl::StatusOr<SegmentationSummary> Segment(SegmentationCase segmentation_case,
                                            StageObserver& observer) {
  NNSEG_ASSIGN_OR_RETURN(Preparation first, Prepare(segmentation_case, observer));
  return Predict(segmentation_case, std::move(first), observer);
}

}  // namespace nnseg
