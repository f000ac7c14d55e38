#include "core/pipeline/deadline_reduction.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "core/base/status_macros.h"

namespace nnseg {
namespace {

// Restoring and handing out labels, as a share of the network's time.
constexpr double kBesideTheNetwork = 0.1;

bool Mirrors(const std::vector<CaseRun>& runs, const SegmentationOptions& options) {
  return options.use_mirroring && std::any_of(runs.begin(), runs.end(), [](const CaseRun& run) {
           return !run.model->bundle().manifest.mirroring_axes.empty();
         });
}

// The first fold of the case that all runs have; empty if no run would have fewer folds by it.
absl::StatusOr<std::string> OnlyFold(const std::vector<CaseRun>& runs,
                                     const SegmentationOptions& options) {
  std::vector<std::string> shared;
  bool several = false;
  for (const CaseRun& run : runs) {
    NNSEG_ASSIGN_OR_RETURN(const LoadedModel::Selection selection,
                           run.model->Select(options.engine, options.precision, options.folds));
    several = several || selection.folds.size() > 1;
    if (&run == &runs.front()) shared = selection.folds;
    std::erase_if(shared, [&](const std::string& fold) {
      return std::find(selection.folds.begin(), selection.folds.end(), fold) ==
             selection.folds.end();
    });
  }
  return several && !shared.empty() ? shared.front() : "";
}

}  // namespace

absl::StatusOr<double> EstimateSeconds(const std::vector<CaseRun>& runs,
                                       const SegmentationOptions& options,
                                       const PassCount& passes) {
  double device_seconds = 0;
  const TileScheduler* scheduler = nullptr;
  for (const CaseRun& run : runs) {
    NNSEG_ASSIGN_OR_RETURN(const LoadedModel::Selection selection,
                           run.model->Select(options.engine, options.precision, options.folds));
    NNSEG_ASSIGN_OR_RETURN(const int64_t count, passes(run, options));
    const auto folds = static_cast<double>(selection.networks.size());
    for (PatchNetwork* network : selection.networks) {
      device_seconds += static_cast<double>(count) / folds * network->record().seconds();
    }
    if (scheduler == nullptr) scheduler = selection.scheduler;  // one device for all runs
  }
  return scheduler->SecondsToFinish(options.priority, device_seconds) * (1 + kBesideTheNetwork);
}

absl::StatusOr<std::vector<Reduction>> ReduceToDeadline(
    const std::vector<CaseRun>& runs, CancellationToken::Clock::time_point deadline,
    const PassCount& passes, SegmentationOptions& options) {
  std::vector<Reduction> reductions;
  if (!options.reduce_to_deadline) return reductions;
  const std::chrono::duration<double> left = deadline - CancellationToken::Clock::now();
  const auto too_slow = [&]() -> absl::StatusOr<bool> {
    NNSEG_ASSIGN_OR_RETURN(const double seconds, EstimateSeconds(runs, options, passes));
    return seconds > left.count();
  };
  NNSEG_ASSIGN_OR_RETURN(bool slow, too_slow());
  if (slow && Mirrors(runs, options)) {
    options.use_mirroring = false;
    reductions.push_back(Reduction::kMirroring);
    NNSEG_ASSIGN_OR_RETURN(slow, too_slow());
  }
  NNSEG_ASSIGN_OR_RETURN(const std::string fold, OnlyFold(runs, options));
  if (slow && !fold.empty()) {
    options.folds = {fold};
    reductions.push_back(Reduction::kFolds);
  }
  return reductions;
}

}  // namespace nnseg
