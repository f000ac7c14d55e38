#include "tests/parity/staged_run.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/io/image_reader.h"
#include "core/base/status_macros.h"
#include "core/inference/volume_predictor.h"
#include "core/restore/slab_restorer.h"

namespace nnseg::parity {
namespace {

float Load(const float* values, std::size_t i) { return values[i]; }
float Load(const Half* values, std::size_t i) { return static_cast<float>(values[i]); }

// "preprocessed: 12 of 394200 values differ, largest difference 1e-07"
template <typename T>
std::string CompareStage(const std::string& stage, const Volume<T>& ours, const StageDump& dump) {
  const Shape3& shape = ours.shape();
  if (dump.shape != std::vector<int64_t>{ours.channels(), shape[0], shape[1], shape[2]}) {
    return absl::StrCat(stage, ": shape ", ours.channels(), "x", ToString(shape), ", expected ",
                        absl::StrJoin(dump.shape, "x"), "\n");
  }
  std::vector<T> theirs(dump.bytes.size() / sizeof(T));
  std::memcpy(theirs.data(), dump.bytes.data(), dump.bytes.size());
  int64_t differing = 0;
  float largest = 0;
  std::size_t i = 0;
  for (int64_t c = 0; c < ours.channels(); ++c) {
    for (int64_t z = 0; z < shape[0]; z += dump.stride) {
      for (int64_t y = 0; y < shape[1]; y += dump.stride) {
        for (int64_t x = 0; x < shape[2]; x += dump.stride, ++i) {
          const float a = static_cast<float>(ours.at(c, {{z, y, x}}));
          const float b = Load(theirs.data(), i);
          differing += a == b ? 0 : 1;
          largest = std::max(largest, std::abs(a - b));
        }
      }
    }
  }
  return absl::StrCat(stage, ": ", differing, " of ", i, " values differ, largest difference ",
                      largest, "\n");
}

absl::Status Paste(const LabelBlock& block, Volume<uint16_t>& labels) {
  const Shape3 shape = block.box.shape();
  for (int64_t z = 0; z < shape[0]; ++z) {
    for (int64_t y = 0; y < shape[1]; ++y) {
      std::copy_n(&block.labels.at(0, {{z, y, 0}}), shape[2],
                  &labels.at(0, block.box.begin + Index3{{z, y, 0}}));
    }
  }
  return absl::OkStatus();
}

void Append(const LogitSlab& slab, Volume<Half>& logits) {
  const int64_t plane = logits.shape()[1] * logits.shape()[2];
  for (int64_t c = 0; c < logits.channels(); ++c) {
    std::ranges::copy(slab.logits.channel(c), logits.channel(c).begin() + slab.begin * plane);
  }
}

}  // namespace

absl::StatusOr<StagedRun> RunStages(const ParityCase& parity_case, const LoadedModel& model,
                                    const std::string& engine) {
  const SegmentationPlan& plan = model.bundle().plan;
  const CancellationToken token;
  NNSEG_ASSIGN_OR_RETURN(const Image image, ReadImage(parity_case.inputs));
  NNSEG_ASSIGN_OR_RETURN(const LoadedModel::Selection selection,
                         model.Select(engine, parity_case.folds));
  StagedRun run;
  NNSEG_ASSIGN_OR_RETURN(run.prepared,
                         Preprocess(plan, image.voxels, image.geometry.spacing(), nullptr, token));
  const CaseProperties& properties = run.prepared.properties;
  run.logits = Volume<Half>::Uninitialized(plan.labels.output_channels(), properties.network_shape);
  run.labels = Volume<uint16_t>::Filled(1, image.geometry.shape(), 0);
  NNSEG_ASSIGN_OR_RETURN(
      const auto restorer,
      SlabRestorer::Create(plan, properties, {.labels = [&](const LabelBlock& block) {
                             return Paste(block, run.labels);
                           }}));
  const std::vector<int> mirroring_axes =
      parity_case.mirroring ? model.bundle().manifest.mirroring_axes : std::vector<int>{};
  NNSEG_RETURN_IF_ERROR(PredictVolume(
      run.prepared.image, selection.networks,
      {.tile_step_size = parity_case.tile_step_size, .mirroring_axes = mirroring_axes},
      *selection.scheduler, token, {.on_slab = [&](LogitSlab slab) {
        Append(slab, run.logits);
        return restorer->Add(std::move(slab));
      }}));
  NNSEG_RETURN_IF_ERROR(restorer->Finish());
  return run;
}

absl::StatusOr<Agreement> CompareWithGolden(const ParityCase& parity_case, const StagedRun& run) {
  NNSEG_ASSIGN_OR_RETURN(const Image golden, ReadImage({parity_case.labels}));
  if (golden.voxels.shape() != run.labels.shape()) {
    return absl::InternalError(absl::StrCat("label map is ", ToString(run.labels.shape()),
                                            ", expected ", ToString(golden.voxels.shape())));
  }
  const Volume<float> expected = golden.voxels.ToFloat();
  Agreement agreement;
  agreement.voxels = expected.size();
  for (std::size_t i = 0; i < expected.voxels().size(); ++i) {
    agreement.differing += expected.voxels()[i] == run.labels.voxels()[i] ? 0 : 1;
  }
  for (const auto& [stage, description] : parity_case.dumps) {
    if (stage == "preprocessed") {
      agreement.stages += CompareStage(stage, run.prepared.image, LoadStageDump(description));
    }
  }
  for (const auto& [stage, description] : parity_case.dumps) {
    if (stage == "logits") {
      agreement.stages += CompareStage(stage, run.logits, LoadStageDump(description));
    }
  }
  absl::StrAppend(&agreement.stages, "labels: ", agreement.differing, " of ", agreement.voxels,
                  " voxels differ\n");
  return agreement;
}

}  // namespace nnseg::parity
