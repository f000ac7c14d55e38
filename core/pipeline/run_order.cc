#include "core/pipeline/run_order.h"

#include <algorithm>

namespace nnseg {
namespace {

void Append(const LoadedModel& model, bool brings_previous_labels, std::vector<CaseRun>& runs) {
  for (const auto& member : model.members()) Append(*member, brings_previous_labels, runs);
  if (!model.members().empty()) return;
  if (!brings_previous_labels && model.previous_stage() != nullptr) {
    Append(*model.previous_stage(), false, runs);
    runs.back().is_previous_stage = true;
  }
  runs.push_back({.model = &model});
}

}  // namespace

std::vector<CaseRun> RunsOf(const LoadedModel& model, bool brings_previous_labels) {
  std::vector<CaseRun> runs;
  Append(model, brings_previous_labels, runs);
  return runs;
}

bool TakesPreviousLabels(const LoadedModel& model) {
  const auto runs = RunsOf(model, /*brings_previous_labels=*/true);
  return std::any_of(runs.begin(), runs.end(),
                     [](const CaseRun& run) { return run.model->bundle().plan.is_cascade(); });
}

}  // namespace nnseg
