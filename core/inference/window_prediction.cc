#include "core/inference/window_prediction.h"

#include <algorithm>
#include <deque>
#include <future>
#include <memory>
#include <utility>

#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/inference/volume_window.h"
#include "core/tiling/gaussian_importance.h"

namespace nnseg {
namespace {

// Takes what a row of tiles has completed out of the window.
class Deliverer {
 public:
  Deliverer(VolumeWindow& window, bool labels, TileScheduler& scheduler,
            const PredictionObserver& observer)
      : window_(window), labels_(labels), scheduler_(scheduler), observer_(observer) {}

  absl::Status Deliver() {
    if (labels_) {
      NNSEG_ASSIGN_OR_RETURN(LabelPlanes planes, OnDevice(&VolumeWindow::TakeLabels));
      return planes.labels.empty() ? absl::OkStatus() : HandOn(observer_.on_labels, planes);
    }
    NNSEG_ASSIGN_OR_RETURN(LogitSlab slab, OnDevice(&VolumeWindow::TakeLogits));
    return slab.logits.empty() ? absl::OkStatus() : HandOn(observer_.on_slab, slab);
  }

  bool began() const { return began_; }

 private:
  template <typename T>
  absl::StatusOr<T> OnDevice(absl::StatusOr<T> (VolumeWindow::*take)()) {
    T result;
    NNSEG_RETURN_IF_ERROR(scheduler_.RunOnDevice([&]() -> absl::Status {
      NNSEG_ASSIGN_OR_RETURN(result, (window_.*take)());
      return absl::OkStatus();
    }));
    return result;
  }

  template <typename T>
  absl::Status HandOn(const std::function<absl::Status(T)>& sink, T& result) {
    began_ = true;
    return sink(std::move(result));
  }

  VolumeWindow& window_;
  const bool labels_;
  TileScheduler& scheduler_;
  const PredictionObserver& observer_;
  bool began_ = false;
};

absl::Status RunPasses(VolumeWindow& window, int64_t passes_per_row, int64_t total,
                       const PredictionOptions& options, TileScheduler& scheduler,
                       const CancellationToken& token, const PredictionObserver& observer,
                       Deliverer& deliverer) {
  const int64_t ahead = kBatchesAhead * window.max_batch();
  const auto lane = scheduler.OpenLane(token, options.priority, total);
  std::deque<std::future<absl::Status>> queued;
  int64_t submitted = 0;
  for (int64_t done = 1; done <= total; ++done) {
    for (; submitted < std::min(total, done + ahead - 1); ++submitted) {
      queued.push_back(lane->Submit(window, {}, {}));
    }
    NNSEG_RETURN_IF_ERROR(queued.front().get());
    queued.pop_front();
    NNSEG_RETURN_IF_ERROR(token.Check());
    if (done % passes_per_row == 0) NNSEG_RETURN_IF_ERROR(deliverer.Deliver());
    observer.on_progress({done, total});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<bool> PredictInWindow(const Volume<float>& image,
                                     const std::vector<PatchNetwork*>& folds, const PatchGrid& grid,
                                     std::span<const Mirror> mirrors,
                                     const PredictionOptions& options, TileScheduler& scheduler,
                                     const CancellationToken& token,
                                     const PredictionObserver& observer) {
  NNSEG_CHECK(options.labels == nullptr || observer.on_labels != nullptr);
  const std::vector<Half> importance = options.use_gaussian ? GaussianImportance(grid.patch_size())
                                                            : UniformImportance(grid.patch_size());
  std::unique_ptr<VolumeWindow> window;
  const absl::Status opened = scheduler.RunOnDevice([&]() -> absl::Status {
    NNSEG_ASSIGN_OR_RETURN(window, folds.front()->OpenWindow({.image = image,
                                                              .folds = folds,
                                                              .grid = grid,
                                                              .mirrors = mirrors,
                                                              .importance = importance,
                                                              .labels = options.labels}));
    return absl::OkStatus();
  });
  if (absl::IsResourceExhausted(opened)) return false;
  NNSEG_RETURN_IF_ERROR(opened);
  if (window == nullptr) return false;
  Deliverer deliverer(*window, options.labels != nullptr, scheduler, observer);
  const auto passes_per_tile = static_cast<int64_t>(folds.size() * mirrors.size());
  const absl::Status status =
      RunPasses(*window, grid.tiles_per_row() * passes_per_tile, grid.tiles() * passes_per_tile,
                options, scheduler, token, observer, deliverer);
  if (absl::IsResourceExhausted(status) && !deliverer.began()) return false;
  NNSEG_RETURN_IF_ERROR(status);
  return true;
}

}  // namespace nnseg
