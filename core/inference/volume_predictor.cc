#include "core/inference/volume_predictor.h"

#include <algorithm>
#include <array>
#include <future>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/float_environment.h"
#include "core/base/parallel_for.h"
#include "core/base/status_macros.h"
#include "core/inference/volume_window.h"
#include "core/inference/window_prediction.h"
#include "core/tiling/gaussian_importance.h"
#include "core/tiling/mirror_axes.h"
#include "core/tiling/patch_grid.h"
#include "core/tiling/slab_accumulator.h"

namespace nnseg {
namespace {

// Passes that are queued or under way at once: the device works on one while the host adds up the
// one before and prepares the next.
constexpr int64_t kPassesAhead = 2;

using Buffer = std::unique_ptr<float[]>;
Buffer MakeBuffer(int64_t size) { return Buffer(new float[static_cast<std::size_t>(size)]); }

// One forward pass on its way: a tile under a mirror through a fold's network.
struct Pass {
  int64_t tile = 0;
  int64_t fold = 0;
  int64_t mirror = 0;
  Buffer input;
  Buffer output;
  std::future<absl::Status> done;
};

// The prediction of one case: passes are numbered mirror fastest, then fold, then tile.
class Prediction {
 public:
  Prediction(const Volume<float>& image, const std::vector<PatchNetwork*>& folds, PatchGrid grid,
             std::vector<Mirror> mirrors, const PredictionOptions& options,
             const CancellationToken& token, const PredictionObserver& observer)
      : image_(image),
        folds_(folds),
        signature_(folds.front()->signature()),
        grid_(std::move(grid)),
        mirrors_(std::move(mirrors)),
        priority_(options.priority),
        token_(token),
        observer_(observer),
        accumulator_(grid_,
                     options.use_gaussian ? GaussianImportance(grid_.patch_size())
                                          : UniformImportance(grid_.patch_size()),
                     signature_.output_channels, static_cast<int64_t>(folds.size())) {
    for (Pass& pass : ring_) {
      pass.input = MakeBuffer(signature_.input_size());
      pass.output = MakeBuffer(signature_.output_size());
    }
    if (mirrors_.size() > 1) sum_ = MakeBuffer(signature_.output_size());
  }

  absl::Status Run(TileScheduler& scheduler) {
    const ScopedSubnormals subnormals;
    const int64_t total = grid_.tiles() * passes_per_tile();
    // Closed before the buffers go.
    const std::unique_ptr<TileScheduler::Lane> lane = scheduler.OpenLane(token_, priority_, total);
    for (int64_t i = 0; i < total + kPassesAhead; ++i) {
      Pass& pass = ring_[i % kPassesAhead];
      if (i >= kPassesAhead) {
        NNSEG_RETURN_IF_ERROR(pass.done.get());
        NNSEG_RETURN_IF_ERROR(token_.Check());
        NNSEG_RETURN_IF_ERROR(Collect(pass));
        observer_.on_progress({i - kPassesAhead + 1, total});
      }
      if (i < total) Submit(i, *lane, pass);
    }
    return absl::OkStatus();
  }

 private:
  int64_t passes_per_tile() const { return static_cast<int64_t>(folds_.size() * mirrors_.size()); }

  void Submit(int64_t number, TileScheduler::Lane& lane, Pass& pass) {
    const auto mirrors = static_cast<int64_t>(mirrors_.size());
    pass.tile = number / passes_per_tile();
    pass.fold = number / mirrors % static_cast<int64_t>(folds_.size());
    pass.mirror = number % mirrors;
    const std::span<float> input(pass.input.get(), signature_.input_size());
    grid_.CopyTile(image_, grid_.tile(pass.tile), input);
    MirrorPatch(mirrors_[pass.mirror], grid_.patch_size(), input);
    pass.done = lane.Submit(*folds_[pass.fold], input, Output(pass));
  }

  // Adds a finished pass to its tile, and the tile to the accumulator with its last mirror.
  absl::Status Collect(Pass& pass) {
    const bool last_mirror = pass.mirror + 1 == static_cast<int64_t>(mirrors_.size());
    if (mirrors_.size() == 1) {
      accumulator_.Add(pass.tile, pass.fold, Output(pass));
    } else if (pass.mirror == 0) {
      std::swap(sum_, pass.output);
    } else {
      AddMirrored(mirrors_[pass.mirror], grid_.patch_size(), Output(pass), Sum());
      if (last_mirror) {
        DivideSum();
        accumulator_.Add(pass.tile, pass.fold, Sum());
      }
    }
    const bool last_fold = pass.fold + 1 == static_cast<int64_t>(folds_.size());
    if (!last_mirror || !last_fold) return absl::OkStatus();
    NNSEG_ASSIGN_OR_RETURN(LogitSlab slab, accumulator_.TakeFinished());
    if (slab.logits.empty()) return absl::OkStatus();
    return observer_.on_slab(std::move(slab));
  }

  void DivideSum() {
    const std::span<float> sum = Sum();
    const auto mirrors = static_cast<float>(mirrors_.size());
    ParallelFor(signature_.output_size(), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) sum[i] /= mirrors;
    });
  }

  std::span<float> Output(Pass& pass) {
    return {pass.output.get(), static_cast<std::size_t>(signature_.output_size())};
  }
  std::span<float> Sum() {
    return {sum_.get(), static_cast<std::size_t>(signature_.output_size())};
  }

  const Volume<float>& image_;
  const std::vector<PatchNetwork*>& folds_;
  const PatchSignature signature_;
  const PatchGrid grid_;
  const std::vector<Mirror> mirrors_;
  const Priority priority_;
  const CancellationToken& token_;
  const PredictionObserver& observer_;
  SlabAccumulator accumulator_;
  std::array<Pass, kPassesAhead> ring_;
  Buffer sum_;  // over the mirrors of one tile and fold
};

absl::StatusOr<PatchGrid> GridOf(const PatchSignature& signature, const Shape3& network_shape,
                                 const PredictionOptions& options) {
  NNSEG_ASSIGN_OR_RETURN(PatchGrid grid,
                         PatchGrid::Create(network_shape, signature.patch_size,
                                           signature.patch_dimensions, options.tile_step_size));
  return options.box.has_value() ? grid.Within(*options.box) : grid;
}

absl::Status CheckFolds(const Volume<float>& image, const std::vector<PatchNetwork*>& folds) {
  if (folds.empty()) {
    return absl::InvalidArgumentError("no fold was chosen, expected at least one");
  }
  const PatchSignature& signature = folds.front()->signature();
  for (const PatchNetwork* fold : folds) {
    if (fold->signature() != signature) {
      return absl::InvalidArgumentError("folds differ in patch size or channels");
    }
  }
  if (image.channels() != signature.input_channels) {
    return absl::InvalidArgumentError(absl::StrCat("image has ", image.channels(),
                                                   " channel(s), the network expects ",
                                                   signature.input_channels));
  }
  return absl::OkStatus();
}

// The grid that needs most memory of all that PredictVolume may make of a box. Which tiles touch
// it depends on the crop, which is not known beforehand; they reach less than a patch beyond it.
absl::StatusOr<PatchGrid> LargestGrid(const PatchSignature& signature, Shape3 network_shape,
                                      const Shape3& box_shape) {
  for (int axis = 0; axis < 3; ++axis) {
    network_shape[axis] =
        std::min(network_shape[axis], box_shape[axis] + 2 * (signature.patch_size[axis] - 1));
  }
  return PatchGrid::Create(network_shape, signature.patch_size, signature.patch_dimensions, 1.0);
}

}  // namespace

absl::Status PredictVolume(const Volume<float>& image, const std::vector<PatchNetwork*>& folds,
                           const PredictionOptions& options, TileScheduler& scheduler,
                           const CancellationToken& token, const PredictionObserver& observer) {
  NNSEG_CHECK(observer.on_slab != nullptr);
  NNSEG_RETURN_IF_ERROR(CheckFolds(image, folds));
  NNSEG_ASSIGN_OR_RETURN(PatchGrid grid,
                         GridOf(folds.front()->signature(), image.shape(), options));
  NNSEG_ASSIGN_OR_RETURN(std::vector<Mirror> mirrors, MirrorsOf(options.mirroring_axes));
  if (options.use_window && folds.front()->keeps_volumes()) {
    NNSEG_ASSIGN_OR_RETURN(const bool done, PredictInWindow(image, folds, grid, mirrors, options,
                                                            scheduler, token, observer));
    if (done) return absl::OkStatus();
  }
  Prediction prediction(image, folds, std::move(grid), std::move(mirrors), options, token,
                        observer);
  return prediction.Run(scheduler);
}

absl::StatusOr<int64_t> CountPasses(const PatchSignature& signature, const Shape3& network_shape,
                                    const PredictionOptions& options, int64_t folds) {
  NNSEG_ASSIGN_OR_RETURN(const PatchGrid grid, GridOf(signature, network_shape, options));
  NNSEG_ASSIGN_OR_RETURN(const std::vector<Mirror> mirrors, MirrorsOf(options.mirroring_axes));
  return grid.tiles() * static_cast<int64_t>(mirrors.size()) * folds;
}

int64_t PredictionBytes(const PatchSignature& signature, const Shape3& network_shape, int64_t folds,
                        const std::optional<Shape3>& box_shape) {
  const auto grid = LargestGrid(signature, network_shape, box_shape.value_or(network_shape));
  const int64_t window =
      grid.ok() ? SlabAccumulator::Bytes(*grid, signature.output_channels, folds) : 0;
  const int64_t buffers =
      kPassesAhead * (signature.input_size() + signature.output_size()) + signature.output_size();
  return window + buffers * static_cast<int64_t>(sizeof(float)) +
         signature.patch_size.voxels() * static_cast<int64_t>(sizeof(Half));
}

int64_t PredictionDeviceBytes(const std::vector<PatchNetwork*>& folds, const Shape3& network_shape,
                              const Shape3& box_shape, int64_t mirrors,
                              const std::optional<Shape3>& label_shape) {
  const PatchNetwork& network = *folds.front();
  const auto grid = LargestGrid(network.signature(), network_shape, box_shape);
  if (!grid.ok()) return 0;  // nor will PredictVolume make one
  return network.WindowBytes({.image = network_shape,
                              .window = grid->window().shape(),
                              .folds = static_cast<int64_t>(folds.size()),
                              .mirrors = mirrors,
                              .labels = label_shape});
}

}  // namespace nnseg
