#include "core/pipeline/model_run.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <utility>

#include "core/base/float_environment.h"
#include "core/base/status_macros.h"
#include "core/base/stop_watch.h"
#include "core/inference/volume_predictor.h"

namespace nnseg {
namespace {

PredictionOptions PredictionOptionsFor(const LoadedModel& model,
                                       const SegmentationOptions& options) {
  return {.tile_step_size = options.tile_step_size,
          .use_gaussian = options.use_gaussian,
          .mirroring_axes =
              options.use_mirroring ? model.bundle().manifest.mirroring_axes : std::vector<int>{},
          .priority = options.priority,
          .use_window = options.use_window};
}

// A sink that is called by one thread at a time.
template <typename Block>
std::function<absl::Status(Block)> OneAtATime(std::function<absl::Status(Block)> sink,
                                              std::mutex& mu) {
  if (!sink) return nullptr;
  return [sink = std::move(sink), &mu](Block block) {
    std::lock_guard lock(mu);
    return sink(std::move(block));
  };
}

// One run over its parts, on as many threads as parts may be under way.
class PartsRunner {
 public:
  PartsRunner(const PreparedCase& prepared, const LoadedModel::Selection& selection,
              const PredictionOptions& options, int64_t passes, const CancellationToken& token,
              const RunListener& listener)
      : prepared_(prepared),
        selection_(selection),
        options_(options),
        passes_(passes),
        token_(token),
        listener_(listener) {}

  absl::Status Add(const SegmentationPlan& plan, RunPart part) {
    NNSEG_ASSIGN_OR_RETURN(
        std::unique_ptr<SlabRestorer> restorer,
        SlabRestorer::Create(
            plan, prepared_.properties,
            {.labels = OneAtATime(std::move(part.sinks.labels), mu_),
             .probabilities = OneAtATime(std::move(part.sinks.probabilities), mu_)},
            plan.transpose_forward.Apply(part.box)));
    restorers_.push_back(std::move(restorer));
    return absl::OkStatus();
  }

  absl::Status Run() {
    const std::size_t threads = std::min<std::size_t>(restorers_.size(), kPartsAtOnce);
    std::vector<std::future<absl::Status>> others;
    for (std::size_t i = 1; i < threads; ++i) {
      others.push_back(std::async(std::launch::async, [this] { return RunParts(); }));
    }
    absl::Status status = RunParts();
    for (std::future<absl::Status>& other : others) status.Update(other.get());
    return status;
  }

  /// Wall time of restoring, as a mean over the threads. After Run.
  double restore_seconds() const {
    return restore_seconds_ / std::clamp<double>(restorers_.size(), 1, kPartsAtOnce);
  }

 private:
  // Takes part after part until none is left or one has failed.
  absl::Status RunParts() {
    const ScopedSubnormals subnormals;
    for (std::size_t i = next_++; i < restorers_.size(); i = next_++) {
      absl::Status status = RunOne(*restorers_[i]);
      if (status.ok()) continue;
      next_ = restorers_.size();
      return status;
    }
    return absl::OkStatus();
  }

  absl::Status RunOne(SlabRestorer& restorer) {
    PredictionOptions options = options_;
    options.box = restorer.boxes().logits;
    options.labels = restorer.label_rule();
    int64_t done = 0;
    const PredictionObserver observer{
        .on_progress =
            [&](const PredictionProgress& progress) {
              PassesDone(progress.passes_done - std::exchange(done, progress.passes_done));
            },
        .on_slab =
            [&](LogitSlab slab) { return Timed([&] { return restorer.Add(std::move(slab)); }); },
        .on_labels =
            [&](LabelPlanes planes) {
              return Timed([&] { return restorer.AddLabels(std::move(planes)); });
            }};
    NNSEG_RETURN_IF_ERROR(PredictVolume(prepared_.image, selection_.networks, options,
                                        *selection_.scheduler, token_, observer));
    return Timed([&] { return restorer.Finish(); });
  }

  void PassesDone(int64_t more) {
    std::lock_guard lock(mu_);
    passes_done_ += more;
    listener_.on_progress(passes_done_);
    if (passes_done_ == passes_) listener_.on_restore();
  }

  template <typename Work>
  absl::Status Timed(const Work& work) {
    StopWatch watch;
    absl::Status status = work();
    restore_seconds_ += watch.Lap();
    return status;
  }

  const PreparedCase& prepared_;
  const LoadedModel::Selection& selection_;
  const PredictionOptions options_;
  const int64_t passes_;
  const CancellationToken& token_;
  const RunListener& listener_;
  std::vector<std::unique_ptr<SlabRestorer>> restorers_;
  std::atomic<std::size_t> next_{0};
  std::atomic<double> restore_seconds_{0};  // of all threads
  std::mutex mu_;                           // held while listener or sinks are called
  int64_t passes_done_ = 0;                 // guarded by mu_
};

}  // namespace

absl::StatusOr<int64_t> CountPasses(const LoadedModel& model, const SegmentationOptions& options,
                                    const CaseProperties& properties,
                                    const std::vector<Box3>& boxes) {
  NNSEG_ASSIGN_OR_RETURN(const LoadedModel::Selection selection,
                         model.Select(options.engine, options.precision, options.folds));
  const SegmentationPlan& plan = model.bundle().plan;
  PredictionOptions prediction = PredictionOptionsFor(model, options);
  int64_t total = 0;
  for (const Box3& box : boxes) {
    prediction.box = BoxesFor(plan, properties, plan.transpose_forward.Apply(box)).logits;
    NNSEG_ASSIGN_OR_RETURN(
        const int64_t passes,
        CountPasses(selection.networks.front()->signature(), properties.network_shape, prediction,
                    static_cast<int64_t>(selection.networks.size())));
    total += passes;
  }
  return total;
}

absl::StatusOr<RunSummary> RunModel(const LoadedModel& model, const SegmentationOptions& options,
                                    const CancellationToken& token, const PreparedCase& prepared,
                                    std::vector<RunPart> parts, const RunListener& listener) {
  NNSEG_ASSIGN_OR_RETURN(const LoadedModel::Selection selection,
                         model.Select(options.engine, options.precision, options.folds));
  const PredictionOptions prediction = PredictionOptionsFor(model, options);
  std::vector<Box3> boxes;
  boxes.reserve(parts.size());
  for (const RunPart& part : parts) boxes.push_back(part.box);
  RunSummary summary;
  summary.engine = selection.networks.front()->engine();
  summary.precision = selection.networks.front()->precision();
  summary.folds = selection.folds;
  summary.mirroring_axes = prediction.mirroring_axes;
  NNSEG_ASSIGN_OR_RETURN(summary.passes, CountPasses(model, options, prepared.properties, boxes));
  const int64_t mirrors = int64_t{1} << summary.mirroring_axes.size();
  summary.tiles = summary.passes / (mirrors * static_cast<int64_t>(summary.folds.size()));

  StopWatch watch;
  PartsRunner runner(prepared, selection, prediction, summary.passes, token, listener);
  for (RunPart& part : parts) {
    NNSEG_RETURN_IF_ERROR(runner.Add(model.bundle().plan, std::move(part)));
  }
  NNSEG_RETURN_IF_ERROR(runner.Run());
  summary.restore_seconds = runner.restore_seconds();
  summary.infer_seconds = watch.Lap() - summary.restore_seconds;
  return summary;
}

}  // namespace nnseg
