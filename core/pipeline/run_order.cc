#include "core/pipeline/run_order.h"

#include <algorithm>

namespace nnseg {
namespace {

void Append(const LoadedModel& model, bool brings_previous_labels,
            std::vector<const LoadedModel*>& runs) {
  for (const auto& member : model.members()) Append(*member, brings_previous_labels, runs);
  if (!model.members().empty()) return;
  if (!brings_previous_labels && model.previous_stage() != nullptr) {
    Append(*model.previous_stage(), false, runs);
  }
  runs.push_back(&model);
}

}  // namespace

std::vector<const LoadedModel*> RunsOf(const LoadedModel& model, bool brings_previous_labels) {
  std::vector<const LoadedModel*> runs;
  Append(model, brings_previous_labels, runs);
  return runs;
}

bool TakesPreviousLabels(const LoadedModel& model) {
  const auto runs = RunsOf(model, /*brings_previous_labels=*/true);
  return std::any_of(runs.begin(), runs.end(),
                     [](const LoadedModel* run) { return run->bundle().plan.is_cascade(); });
}

}  // namespace nnseg
