#include "tests/parity/case_run.h"

#include <algorithm>
#include <utility>

#include "core/base/status_macros.h"
#include "core/inference/volume_predictor.h"
#include "core/pipeline/case_check.h"
#include "core/pipeline/pipeline.h"
#include "core/pipeline/run_order.h"
#include "core/restore/slab_restorer.h"

namespace nnseg::parity {
namespace {

/// Puts blocks together.
class Assembler : public StageObserver {
 public:
  Assembler(const Shape3& shape, const LabelTable& labels, bool probabilities) {
    result_.labels = Volume<uint16_t>::Filled(1, shape, 0);
    if (!probabilities) return;
    result_.probabilities = Volume<float>::Filled(labels.output_channels(), shape, 0);
    if (!labels.has_regions()) std::ranges::fill(result_.probabilities.channel(0), 1.0F);
  }

  void OnStage(Stage) override {}
  void OnProgress(int64_t, int64_t) override {}
  void OnResultBegins(const std::vector<Box3>&, LabelType type) override {
    result_.label_type = type;
  }
  absl::Status OnLabels(LabelBlock block) override {
    PasteLabels(block, Box3::Whole(result_.labels.shape()), result_.labels);
    return absl::OkStatus();
  }
  absl::Status OnProbabilities(ProbabilityBlock block) override {
    const Shape3 shape = block.box.shape();
    for (int64_t c = 0; c < block.values.channels(); ++c) {
      for (int64_t z = 0; z < shape[0]; ++z) {
        for (int64_t y = 0; y < shape[1]; ++y) {
          std::copy_n(&block.values.at(c, {{z, y, 0}}), shape[2],
                      &result_.probabilities.at(c, block.box.begin + Index3{{z, y, 0}}));
        }
      }
    }
    return absl::OkStatus();
  }

  CaseResult Take() { return std::move(result_); }

 private:
  CaseResult result_;
};

// Empty: none.
absl::StatusOr<Volume<uint16_t>> BroughtLabels(const ParityCase& parity_case) {
  if (parity_case.previous_labels.empty()) return Volume<uint16_t>();
  return LoadLabels(parity_case.previous_labels);
}

void Append(const LogitSlab& slab, Volume<Half>& logits) {
  const int64_t plane = logits.shape()[1] * logits.shape()[2];
  for (int64_t c = 0; c < logits.channels(); ++c) {
    std::ranges::copy(slab.logits.channel(c), logits.channel(c).begin() + slab.begin[0] * plane);
  }
}

// The run, and its label map for a stage after it.
absl::StatusOr<std::pair<StagedRun, Volume<uint16_t>>> RunModelStages(
    const LoadedModel& model, const CaseImage& image, const SegmentationOptions& options,
    const Volume<uint16_t>* previous_labels) {
  const BundleManifest& manifest = model.bundle().manifest;
  const SegmentationPlan& plan = model.bundle().plan;
  const CancellationToken token;
  StagedRun run{.model = manifest.name};
  NNSEG_ASSIGN_OR_RETURN(const auto selection,
                         model.Select(options.engine, options.precision, options.folds));
  NNSEG_ASSIGN_OR_RETURN(PreparedCase prepared,
                         Preprocess(plan, image.voxels, image.spacing, previous_labels, token));
  run.logits =
      Volume<Half>::Uninitialized(plan.labels.output_channels(), prepared.properties.network_shape);
  auto labels = Volume<uint16_t>::Filled(1, image.voxels.shape(), 0);
  NNSEG_ASSIGN_OR_RETURN(
      const auto restorer,
      SlabRestorer::Create(plan, prepared.properties, {.labels = [&](const LabelBlock& block) {
                             PasteLabels(block, Box3::Whole(labels.shape()), labels);
                             return absl::OkStatus();
                           }}));
  NNSEG_RETURN_IF_ERROR(PredictVolume(
      prepared.image, selection.networks,
      {.tile_step_size = options.tile_step_size,
       .use_gaussian = options.use_gaussian,
       .mirroring_axes = options.use_mirroring ? manifest.mirroring_axes : std::vector<int>{}},
      *selection.scheduler, token, {.on_slab = [&](LogitSlab slab) {
        Append(slab, run.logits);
        return restorer->Add(std::move(slab));
      }}));
  NNSEG_RETURN_IF_ERROR(restorer->Finish());
  run.preprocessed = std::move(prepared.image);
  return std::pair(std::move(run), std::move(labels));
}

}  // namespace

absl::StatusOr<CaseResult> RunCase(const ParityCase& parity_case,
                                   std::shared_ptr<const LoadedModel> model,
                                   const std::vector<Box3>& regions) {
  NNSEG_ASSIGN_OR_RETURN(CaseImage image, LoadImage(parity_case));
  NNSEG_ASSIGN_OR_RETURN(Volume<uint16_t> brought, BroughtLabels(parity_case));
  NNSEG_RETURN_IF_ERROR(
      ValidateOptions(*model, parity_case.options, !brought.empty(), !regions.empty()));
  Assembler assembler(image.voxels.shape(), model->bundle().plan.labels,
                      parity_case.options.probabilities);
  SegmentationCase segmentation_case{
      .model = std::move(model),
      .voxels = std::make_shared<const VoxelBuffer>(std::move(image.voxels)),
      .spacing = image.spacing,
      .regions = regions,
      .options = parity_case.options};
  if (!brought.empty()) segmentation_case.previous_labels = std::move(brought);
  NNSEG_RETURN_IF_ERROR(Segment(std::move(segmentation_case), assembler).status());
  return assembler.Take();
}

absl::StatusOr<std::vector<StagedRun>> RunStages(const ParityCase& parity_case,
                                                 const LoadedModel& model) {
  NNSEG_ASSIGN_OR_RETURN(const CaseImage image, LoadImage(parity_case));
  NNSEG_ASSIGN_OR_RETURN(const Volume<uint16_t> brought, BroughtLabels(parity_case));
  std::vector<StagedRun> runs;
  Volume<uint16_t> made;
  for (const auto& [stage, _] : RunsOf(model, !brought.empty())) {
    const Volume<uint16_t>* previous = nullptr;
    if (stage->bundle().plan.is_cascade()) previous = brought.empty() ? &made : &brought;
    NNSEG_ASSIGN_OR_RETURN(auto run, RunModelStages(*stage, image, parity_case.options, previous));
    made = std::move(run.second);
    runs.push_back(std::move(run.first));
  }
  return runs;
}

}  // namespace nnseg::parity
