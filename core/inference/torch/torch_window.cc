#include "core/inference/torch/torch_window.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/inference/torch/device_accumulator.h"
#include "core/inference/torch/device_restorer.h"

namespace nnseg {
namespace {

// What the tiles cover of the image on the device, channels x the grid's window, with zeros outside
// of the image.
at::Tensor UploadWindow(const Volume<float>& image, const PatchGrid& grid, DeviceStream& stream) {
  const Box3 window = grid.window();
  const Shape3& shape = grid.image_shape();
  Index3 begin;
  Index3 end;
  std::vector<int64_t> padding;  // before and after each axis, the last axis first
  for (int axis = 2; axis >= 0; --axis) {
    const int64_t pad = grid.padding_before()[axis];
    begin[axis] = std::clamp<int64_t>(window.begin[axis] - pad, 0, shape[axis]);
    end[axis] = std::clamp<int64_t>(window.end[axis] - pad, 0, shape[axis]);
    padding.push_back(begin[axis] - (window.begin[axis] - pad));
    padding.push_back(window.end[axis] - pad - end[axis]);
  }
  const int64_t plane = shape[1] * shape[2];
  const int64_t planes = end[0] - begin[0];
  const at::Tensor tensor =
      at::empty({image.channels(), planes, shape[1], shape[2]},
                at::TensorOptions().dtype(at::kFloat).device(stream.device().name()));
  for (int64_t c = 0; c < image.channels(); ++c) {
    stream.Upload(std::as_bytes(image.channel(c).subspan(static_cast<std::size_t>(begin[0] * plane),
                                                         static_cast<std::size_t>(planes * plane))),
                  tensor.select(0, c));
  }
  return at::constant_pad_nd(
      tensor.narrow(2, begin[1], end[1] - begin[1]).narrow(3, begin[2], end[2] - begin[2]), padding,
      0);
}

std::vector<int64_t> MirroredDimensions(const Mirror& mirror) {
  std::vector<int64_t> dimensions;  // of (channels x patch)
  for (int axis = 0; axis < 3; ++axis) {
    if (mirror[axis]) dimensions.push_back(axis + 1);
  }
  return dimensions;
}

class TorchWindow : public VolumeWindow {
 public:
  TorchWindow(const WindowRequest& request, std::vector<ScriptForward*> forwards,
              std::shared_ptr<DeviceStream> stream, int64_t max_batch)
      : first_(*request.folds.front()),
        signature_(first_.signature()),
        forwards_(std::move(forwards)),
        stream_(std::move(stream)),
        max_batch_(max_batch),
        grid_(request.grid),
        image_(UploadWindow(request.image, grid_, *stream_)),
        accumulator_(grid_, request.importance, signature_.output_channels,
                     static_cast<int64_t>(forwards_.size()), *stream_) {
    for (const Mirror& mirror : request.mirrors) mirrors_.push_back(MirroredDimensions(mirror));
    if (request.labels != nullptr) restorer_.emplace(*request.labels, *stream_);
  }

  const PatchSignature& signature() const override { return signature_; }
  std::string engine() const override { return first_.engine(); }
  std::string precision() const override { return first_.precision(); }
  int64_t max_batch() const override { return max_batch_; }
  void ReleaseCaches() override { first_.ReleaseCaches(); }
  PassRecord& record() override { return first_.record(); }

  absl::Status Run(std::span<const float> input, std::span<float> output) override {
    const PatchPass pass{input, output};
    return RunBatch({&pass, 1});
  }

  absl::Status RunBatch(std::span<const PatchPass> passes) override {
    // Passes of a batch that failed half-way are not run again when it is tried once more.
    const auto count = static_cast<int64_t>(passes.size());
    const int64_t done_before = std::min(ahead_, count);
    ahead_ -= done_before;
    int64_t left = count - done_before;
    while (left > 0) {
      const int64_t fold_ends = passes_per_fold() - next_ % passes_per_fold();
      const int64_t batch = std::min(left, fold_ends) >= max_batch_ ? max_batch_ : 1;
      absl::Status status = stream_->Run([&] { return RunPasses(batch); });
      if (!status.ok()) {
        ahead_ += count - left;
        return status;
      }
      left -= batch;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<LogitSlab> TakeLogits() override {
    LogitSlab slab;
    if (finished_.empty()) return slab;
    NNSEG_RETURN_IF_ERROR(stream_->Run([&] {
      const at::Tensor& logits = finished_.front().logits;
      slab.begin = finished_.front().begin;
      slab.logits = Volume<Half>::Uninitialized(logits.size(0),
                                                {{logits.size(1), logits.size(2), logits.size(3)}});
      stream_->Download(logits, std::as_writable_bytes(slab.logits.voxels()));
      return absl::OkStatus();
    }));
    finished_.pop_front();
    return slab;
  }

  absl::StatusOr<LabelPlanes> TakeLabels() override {
    NNSEG_CHECK(restorer_.has_value());
    LabelPlanes planes;
    if (finished_.empty()) return planes;
    NNSEG_RETURN_IF_ERROR(stream_->Run([&] {
      planes = restorer_->Add(finished_.front().logits);
      return absl::OkStatus();
    }));
    finished_.pop_front();
    return planes;
  }

 private:
  // Finished logits on the device.
  struct DeviceSlab {
    Index3 begin;
    at::Tensor logits;
  };

  int64_t mirrors() const { return static_cast<int64_t>(mirrors_.size()); }
  int64_t folds() const { return static_cast<int64_t>(forwards_.size()); }
  // Passes in a row through one fold's network.
  int64_t passes_per_fold() const { return folds() == 1 ? mirrors() * grid_.tiles() : mirrors(); }

  // The patch of pass number `pass`, as its network takes it.
  at::Tensor Patch(int64_t pass) const {
    const Shape3& patch = grid_.patch_size();
    const Index3 start = grid_.tile(pass / (mirrors() * folds())) - grid_.window().begin;
    at::Tensor tile = image_.narrow(1, start[0], patch[0])
                          .narrow(2, start[1], patch[1])
                          .narrow(3, start[2], patch[2]);
    const std::vector<int64_t>& mirrored = mirrors_[pass % mirrors()];
    if (!mirrored.empty()) tile = tile.flip(mirrored);
    return signature_.patch_dimensions == 2 ? tile.squeeze(1) : tile;
  }

  // The next `batch` passes, all through one fold's network.
  absl::Status RunPasses(int64_t batch) {
    const c10::InferenceMode inference;
    std::vector<at::Tensor> patches;
    for (int64_t i = 0; i < batch; ++i) patches.push_back(Patch(next_ + i));
    ScriptForward& forward = *forwards_[next_ / mirrors() % folds()];
    at::Tensor logits = forward.Run(at::stack(patches));
    const auto expected = forward.BatchShape(batch, signature_.output_channels);
    if (logits.sizes() != at::IntArrayRef(expected)) {
      return absl::InternalError(absl::StrCat("the network's output is ",
                                              absl::StrJoin(logits.sizes(), "x"), ", expected ",
                                              absl::StrJoin(expected, "x")));
    }
    if (signature_.patch_dimensions == 2) logits = logits.unsqueeze(2);
    for (int64_t i = 0; i < batch; ++i) {
      NNSEG_RETURN_IF_ERROR(Collect(next_, logits.select(0, i)));
      ++next_;
    }
    stream_->Pace();
    return absl::OkStatus();
  }

  // Adds the logits of a pass to its tile, and the tile to the sums with its last mirror.
  absl::Status Collect(int64_t pass, const at::Tensor& logits) {
    const int64_t mirror = pass % mirrors();
    const int64_t fold = pass / mirrors() % folds();
    const int64_t tile = pass / (mirrors() * folds());
    if (mirrors() == 1) {
      accumulator_.Add(tile, fold, logits);
    } else if (mirror == 0) {
      sum_ = logits.clone();
    } else {
      sum_.add_(logits.flip(mirrors_[mirror]));
    }
    if (mirror + 1 < mirrors()) return absl::OkStatus();
    if (mirrors() > 1) {
      sum_.div_(at::full({}, static_cast<double>(mirrors()), sum_.options()));
      accumulator_.Add(tile, fold, sum_);
    }
    if (fold + 1 < folds() || (tile + 1) % grid_.tiles_per_row() != 0) return absl::OkStatus();
    // Before the next row of tiles needs the room.
    const Index3 begin = accumulator_.next_begin();
    NNSEG_ASSIGN_OR_RETURN(at::Tensor rows, accumulator_.TakeFinished());
    if (rows.numel() > 0) finished_.push_back({begin, std::move(rows)});
    return absl::OkStatus();
  }

  PatchNetwork& first_;
  const PatchSignature signature_;
  const std::vector<ScriptForward*> forwards_;  // by fold
  const std::shared_ptr<DeviceStream> stream_;
  const int64_t max_batch_;
  const PatchGrid& grid_;
  std::vector<std::vector<int64_t>> mirrors_;  // as dimensions of (channels x patch)
  const at::Tensor image_;                     // channels x the grid's window
  DeviceAccumulator accumulator_;
  std::optional<DeviceRestorer> restorer_;
  at::Tensor sum_;                   // over the mirrors of one tile and fold
  std::deque<DeviceSlab> finished_;  // not yet taken
  int64_t next_ = 0;                 // pass
  int64_t ahead_ = 0;                // passes done that a failed batch did not report
};

}  // namespace

absl::StatusOr<std::unique_ptr<VolumeWindow>> OpenTorchWindow(const WindowRequest& request,
                                                              std::vector<ScriptForward*> forwards,
                                                              std::shared_ptr<DeviceStream> stream,
                                                              int64_t max_batch) {
  std::unique_ptr<VolumeWindow> window;
  DeviceStream& device = *stream;
  NNSEG_RETURN_IF_ERROR(device.Run([&] {
    const c10::InferenceMode inference;
    window =
        std::make_unique<TorchWindow>(request, std::move(forwards), std::move(stream), max_batch);
    return absl::OkStatus();
  }));
  return window;
}

int64_t TorchWindowBytes(const PatchSignature& signature, const WindowShape& shape,
                         int64_t max_batch) {
  constexpr auto kFloat = static_cast<int64_t>(sizeof(float));
  const auto& [image, window, folds, mirrors, labels] = shape;
  const Shape3& patch = signature.patch_size;
  const int64_t channels = signature.output_channels;
  const int64_t padded = kFloat * signature.input_channels * window.voxels();
  // Whole planes, which are gone when the window is open.
  const int64_t uploaded =
      kFloat * signature.input_channels * std::min(image[0], window[0]) * image[1] * image[2];
  // The sum over mirrors, and what is added to it.
  const int64_t mirrored = mirrors > 1 ? 2 * kFloat * signature.output_size() : 0;
  // Rows of tiles that are finished before the first of them is taken.
  const auto tiles = [&](int axis) { return (shape.window[axis] + patch[axis] - 1) / patch[axis]; };
  const int64_t rows =
      std::min(1 + kBatchesAhead * max_batch / (tiles(1) * tiles(2) * folds * mirrors), window[0]);
  const int64_t finished = rows * DeviceAccumulator::FinishedBytes(patch, window, channels, folds);
  const int64_t restoring =
      labels ? DeviceRestorer::Bytes(channels, {{patch[0], window[1], window[2]}}, *labels) : 0;
  return padded + std::max(uploaded, DeviceAccumulator::Bytes(patch, window, channels, folds) +
                                         mirrored + finished + restoring);
}

}  // namespace nnseg
