#include "core/inference/torch/device_accumulator.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <vector>

#include "core/base/check.h"

namespace nnseg {
namespace {

constexpr auto kHalfBytes = static_cast<int64_t>(sizeof(Half));

// A run of rows of axis 0 that lie together in the window: row `ring` there is row `offset` of the
// run that was asked for.
struct RingPart {
  int64_t ring;
  int64_t offset;
  int64_t count;
};

// Where `count` rows from row `begin` of the padded volume lie in a window of `depth` rows.
std::vector<RingPart> RingParts(int64_t begin, int64_t count, int64_t depth) {
  std::vector<RingPart> parts;
  for (int64_t offset = 0; offset < count;) {
    const int64_t ring = (begin + offset) % depth;
    const int64_t length = std::min(count - offset, depth - ring);
    parts.push_back({ring, offset, length});
    offset += length;
  }
  return parts;
}

// The part of a tensor's last two dimensions.
at::Tensor Plane(const at::Tensor& tensor, int64_t begin1, int64_t size1, int64_t begin2,
                 int64_t size2) {
  return tensor.narrow(-2, begin1, size1).narrow(-1, begin2, size2);
}

// Where the grid's box lies in the padded volume, along one axis, together with the padding where
// the box touches the image's edge: nnU-Net checks for infinity before it removes the padding.
struct Range {
  int64_t begin;
  int64_t end;
  int64_t size() const { return end - begin; }
};
Range CheckedRange(const PatchGrid& grid, int axis) {
  const int64_t pad = grid.padding_before()[axis];
  const Box3& box = grid.box();
  return {
      box.begin[axis] == 0 ? 0 : box.begin[axis] + pad,
      box.end[axis] == grid.image_shape()[axis] ? grid.padded_shape()[axis] : box.end[axis] + pad};
}

}  // namespace

struct DeviceAccumulator::Sums {
  at::Tensor importance;  // patch
  at::Tensor logits;      // folds x channels x patch depth x window's plane
  at::Tensor weights;     // patch depth x window's plane
};

DeviceAccumulator::DeviceAccumulator(const PatchGrid& grid, std::span<const Half> importance,
                                     int64_t channels, int64_t folds, DeviceStream& stream)
    : grid_(grid),
      folds_(folds),
      window_(grid.window()),
      rows_taken_(window_.begin[0]),
      sums_(std::make_unique<Sums>()) {
  NNSEG_CHECK(channels >= 1 && folds >= 1);
  const Shape3& patch = grid.patch_size();
  const Shape3 window = window_.shape();
  const auto half = at::TensorOptions().dtype(at::kHalf).device(stream.device().name());
  sums_->importance = at::empty({patch[0], patch[1], patch[2]}, half);
  stream.Upload(std::as_bytes(importance), sums_->importance);
  sums_->logits = at::zeros({folds, channels, patch[0], window[1], window[2]}, half);
  sums_->weights = at::zeros({patch[0], window[1], window[2]}, half);
}

DeviceAccumulator::~DeviceAccumulator() = default;

int64_t DeviceAccumulator::Bytes(const Shape3& patch, const Shape3& window, int64_t channels,
                                 int64_t folds) {
  const int64_t weights = patch[0] * window[1] * window[2];
  const int64_t sums = folds * channels * weights;
  // Their quotients, together, as absolute values and as the answer whether one is infinite.
  const int64_t finishing = sums * (3 * kHalfBytes + 1);
  const int64_t adding = channels * patch.voxels() * static_cast<int64_t>(sizeof(float));
  return (patch.voxels() + sums + weights) * kHalfBytes + std::max(finishing, adding);
}

int64_t DeviceAccumulator::FinishedBytes(const Shape3& patch, const Shape3& window,
                                         int64_t channels, int64_t folds) {
  // It may be a view of the quotients of all folds.
  return folds * channels * patch[0] * window[1] * window[2] * kHalfBytes;
}

void DeviceAccumulator::Add(int64_t tile, int64_t fold, const at::Tensor& logits) {
  NNSEG_CHECK(tile == tiles_done_ && fold >= 0 && fold < folds_);
  const c10::InferenceMode inference;
  const Shape3& patch = grid_.patch_size();
  const Index3 start = grid_.tile(tile) - Index3{{0, window_.begin[1], window_.begin[2]}};
  const at::Tensor weighted = logits.mul(sums_->importance);
  for (const RingPart& part : RingParts(start[0], patch[0], patch[0])) {
    Plane(sums_->logits.select(0, fold), start[1], patch[1], start[2], patch[2])
        .narrow(1, part.ring, part.count)
        .add_(weighted.narrow(1, part.offset, part.count));
    if (fold + 1 < folds_) continue;
    Plane(sums_->weights, start[1], patch[1], start[2], patch[2])
        .narrow(0, part.ring, part.count)
        .add_(sums_->importance.narrow(0, part.offset, part.count));
  }
  if (fold + 1 == folds_) ++tiles_done_;
}

Index3 DeviceAccumulator::next_begin() const {
  const Box3& box = grid_.box();
  return {{std::clamp(rows_taken_ - grid_.padding_before()[0], box.begin[0], box.end[0]),
           box.begin[1], box.begin[2]}};
}

absl::StatusOr<at::Tensor> DeviceAccumulator::TakeFinished() {
  const c10::InferenceMode inference;
  const int64_t rows_of_tiles = tiles_done_ / grid_.tiles_per_row();
  const auto starts = grid_.starts(0);
  const int64_t end =
      rows_of_tiles < static_cast<int64_t>(starts.size()) ? starts[rows_of_tiles] : window_.end[0];
  const Index3 first = next_begin();
  const Range checked0 = CheckedRange(grid_, 0);
  const Range checked1 = CheckedRange(grid_, 1);
  const Range checked2 = CheckedRange(grid_, 2);
  const int64_t begin = std::clamp(rows_taken_, checked0.begin, checked0.end);
  const int64_t count = std::clamp(end, begin, checked0.end) - begin;
  const auto checked = [&](const at::Tensor& tensor) {
    return Plane(tensor, checked1.begin - window_.begin[1], checked1.size(),
                 checked2.begin - window_.begin[2], checked2.size());
  };
  std::vector<at::Tensor> quotients{checked(sums_->logits).narrow(2, 0, 0)};
  for (const RingPart& part : RingParts(begin, count, grid_.patch_size()[0])) {
    quotients.push_back(checked(sums_->logits)
                            .narrow(2, part.ring, part.count)
                            .div(checked(sums_->weights).narrow(0, part.ring, part.count)));
  }
  const at::Tensor by_fold = at::cat(quotients, 2);
  if (count > 0 && by_fold.isinf().any().item<bool>()) {
    return absl::InternalError(
        "a logit is infinite in half precision, expected finite logits: the network's output is "
        "out of range");
  }
  const at::Tensor mean = by_fold.select(0, 0);
  for (int64_t fold = 1; fold < folds_; ++fold) mean.add_(by_fold.select(0, fold));
  // By a tensor of the device: torch multiplies by the reciprocal of a plain number.
  if (folds_ > 1) mean.div_(at::full({}, static_cast<double>(folds_), mean.options()));

  for (const RingPart& part : RingParts(rows_taken_, end - rows_taken_, grid_.patch_size()[0])) {
    sums_->logits.narrow(2, part.ring, part.count).zero_();
    sums_->weights.narrow(0, part.ring, part.count).zero_();
  }
  rows_taken_ = end;
  // What was checked, without the padding.
  const Index3 inner =
      first + grid_.padding_before() - Index3{{begin, checked1.begin, checked2.begin}};
  const Shape3 box = grid_.box().shape();
  const int64_t rows = next_begin()[0] - first[0];
  return Plane(mean, inner[1], box[1], inner[2], box[2])
      .narrow(1, rows > 0 ? inner[0] : 0, rows)
      .contiguous();
}

}  // namespace nnseg
