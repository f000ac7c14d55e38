#include "core/inference/torch/device_restorer.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/volume/half.h"

namespace nnseg {
namespace {

// Interpolated logits that exist at a time.
constexpr int64_t kValuesAtOnce = int64_t{16} << 20;
// A float sigmoid exceeds one half for all larger halves than the smallest subnormal.
constexpr float kSmallestHalf = 0x1p-24F;

// Planes of labels whose logits exist at a time.
int64_t PlanesAtOnce(int64_t channels, int64_t rows, int64_t columns) {
  return std::max<int64_t>(1, kValuesAtOnce / (channels * rows * columns));
}

/// An AxisOperator on the device: one tensor of indices and one of weights for each tap, the latter
/// shaped to be multiplied along dimension `axis + 1` of (channels x axes).
struct DeviceAxis {
  std::vector<at::Tensor> indices;
  std::vector<at::Tensor> weights;  // none where each output is one input
  bool identity = true;             // output k is input k, of as many
};

template <typename T>
at::Tensor ToDevice(const std::vector<T>& values, at::ScalarType type, DeviceStream& stream) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(values.size())},
                                at::TensorOptions().dtype(type).device(stream.device().name()));
  stream.Upload(std::as_bytes(std::span(values)), tensor);
  return tensor;
}

DeviceAxis ToDevice(const AxisOperator& axis, int number, DeviceStream& stream) {
  DeviceAxis result;
  result.identity = axis.taps() == 1;
  std::vector<int64_t> shape(4, 1);
  shape[number + 1] = axis.output_length();
  for (int t = 0; t < axis.taps(); ++t) {
    std::vector<int64_t> indices;
    std::vector<double> weights;
    for (int64_t k = 0; k < axis.output_length(); ++k) {
      indices.push_back(axis.indices(k)[t]);
      weights.push_back(axis.weights(k)[t]);
      result.identity = result.identity && indices.back() == k;
    }
    result.indices.push_back(ToDevice(indices, at::kLong, stream));
    if (axis.taps() > 1) {
      result.weights.push_back(ToDevice(weights, at::kDouble, stream).view(shape));
    }
  }
  return result;
}

// Rounds doubles to half once. torch goes by way of float; rounding to odd there keeps what the
// second rounding needs to know.
at::Tensor RoundToHalf(const at::Tensor& values) {
  const at::Tensor nearest = values.to(at::kFloat);
  const at::Tensor back = nearest.to(at::kDouble);
  const at::Tensor bits = nearest.view(at::kInt);
  bits.sub_(back.abs().gt(values.abs()).to(at::kInt));  // towards zero
  bits.bitwise_or_(back.ne(values).to(at::kInt));
  return nearest.to(at::kHalf);
}

// numpy's argmax: the first of equals, NaN above all. Or the last region whose sigmoid exceeds one
// half.
at::Tensor Decide(const at::Tensor& logits, const std::vector<uint16_t>& painted) {
  if (painted.empty()) return logits.argmax(0);
  const at::Tensor inside = logits.to(at::kFloat).gt(kSmallestHalf);
  at::Tensor labels = at::zeros(logits.sizes().slice(1), logits.options().dtype(at::kInt));
  for (std::size_t c = 0; c < painted.size(); ++c) {
    labels.masked_fill_(inside.select(0, static_cast<int64_t>(c)), painted[c]);
  }
  return labels;
}

}  // namespace

struct DeviceRestorer::State {
  std::array<DeviceAxis, 3> axes;
  at::Tensor planes;         // of logits that are still needed
  int64_t planes_begin = 0;  // index of the first
  int64_t emitted = 0;       // planes of labels

  // Logits of the label planes [begin, end), in half precision.
  at::Tensor Interpolate(int64_t begin, int64_t end) const;
};

at::Tensor DeviceRestorer::State::Interpolate(int64_t begin, int64_t end) const {
  const bool picks = std::all_of(axes.begin(), axes.end(),
                                 [](const DeviceAxis& axis) { return axis.weights.empty(); });
  // What tap `t` of an axis reads of the values, weighted.
  const auto tap = [](const at::Tensor& values, int64_t dimension, const DeviceAxis& axis,
                      std::size_t t) {
    if (axis.identity && axis.indices[t].size(0) == values.size(dimension)) return values;
    const at::Tensor read = values.index_select(dimension, axis.indices[t]);
    return axis.weights.empty() ? read : read.mul_(axis.weights[t]);
  };
  DeviceAxis part = axes[0];
  part.identity = false;
  for (std::size_t t = 0; t < part.indices.size(); ++t) {
    part.indices[t] = part.indices[t].narrow(0, begin, end - begin).sub(planes_begin);
    if (!part.weights.empty()) part.weights[t] = part.weights[t].narrow(1, begin, end - begin);
  }
  if (picks) return tap(tap(tap(planes, 1, part, 0), 2, axes[1], 0), 3, axes[2], 0);
  at::Tensor sum;
  for (std::size_t t0 = 0; t0 < part.indices.size(); ++t0) {
    at::Tensor read0 = planes.index_select(1, part.indices[t0]).to(at::kDouble);
    if (!part.weights.empty()) read0.mul_(part.weights[t0]);
    for (std::size_t t1 = 0; t1 < axes[1].indices.size(); ++t1) {
      const at::Tensor read1 = tap(read0, 2, axes[1], t1);
      for (std::size_t t2 = 0; t2 < axes[2].indices.size(); ++t2) {
        const at::Tensor read2 = tap(read1, 3, axes[2], t2);
        sum = sum.defined() ? sum.add_(read2) : read2;
      }
    }
  }
  return RoundToHalf(sum);
}

DeviceRestorer::DeviceRestorer(LabelRule rule, DeviceStream& stream)
    : rule_(std::move(rule)), stream_(stream), state_(std::make_unique<State>()) {
  for (int axis = 0; axis < 3; ++axis) {
    NNSEG_CHECK(rule_.axes[axis].taps() <= 2);
    state_->axes[axis] = ToDevice(rule_.axes[axis], axis, stream_);
  }
}

DeviceRestorer::~DeviceRestorer() = default;

int64_t DeviceRestorer::Bytes(int64_t channels, const Shape3& planes, const Shape3& labels) {
  constexpr auto kHalf = static_cast<int64_t>(sizeof(Half));
  constexpr auto kDouble = static_cast<int64_t>(sizeof(double));
  // Index and weight of two taps along each axis.
  const int64_t axes = (labels[0] + labels[1] + labels[2]) * 2 * 2 * kDouble;
  // A plane waits for the next ones; then they lie together, and one is left.
  const int64_t kept = channels * (planes[0] + 3) * planes[1] * planes[2] * kHalf;
  const int64_t at_once = std::min(labels[0], PlanesAtOnce(channels, labels[1], labels[2]));
  const int64_t rows = channels * at_once;
  const int64_t values = rows * labels[1] * labels[2];
  // The sum and what a tap adds to it, read axis by axis; or the sum while it is rounded: as float,
  // back in double, both absolutes, their comparison as bool and int.
  const int64_t adding = 2 * values * kDouble + rows * labels[1] * planes[2] * kDouble +
                         rows * planes[1] * planes[2] * (kDouble + kHalf);
  const int64_t rounding = values * (4 * kDouble + 4 + 1 + 4);
  return axes + kept + std::max(adding, rounding);
}

LabelPlanes DeviceRestorer::Add(const at::Tensor& logits) {
  const c10::InferenceMode inference;
  State& state = *state_;
  state.planes = state.planes.defined() ? at::cat({state.planes, logits}, 1) : logits;
  const int64_t planes_end = state.planes_begin + state.planes.size(1);

  const AxisOperator& axis0 = rule_.axes[0];
  int64_t ready = state.emitted;
  while (ready < axis0.output_length() && axis0.indices(ready).back() < planes_end) ++ready;
  const int64_t rows = rule_.axes[1].output_length();
  const int64_t columns = rule_.axes[2].output_length();
  LabelPlanes result{state.emitted,
                     Volume<uint16_t>::Uninitialized(1, {{ready - state.emitted, rows, columns}})};

  const int64_t channels = logits.size(0);
  const bool bytes = rule_.painted.empty()
                         ? channels <= 256
                         : *std::max_element(rule_.painted.begin(), rule_.painted.end()) < 256;
  const int64_t at_once = PlanesAtOnce(channels, rows, columns);
  std::vector<uint8_t> narrow;
  for (int64_t begin = state.emitted; begin < ready; begin += at_once) {
    const int64_t end = std::min(begin + at_once, ready);
    const at::Tensor labels = Decide(state.Interpolate(begin, end), rule_.painted)
                                  .to(bytes ? at::kByte : at::kUInt16)
                                  .contiguous();
    const std::span<uint16_t> out = result.labels.voxels().subspan(
        static_cast<std::size_t>((begin - state.emitted) * rows * columns),
        static_cast<std::size_t>((end - begin) * rows * columns));
    if (bytes) {
      narrow.resize(out.size());
      stream_.Download(labels, std::as_writable_bytes(std::span(narrow)));
      std::copy(narrow.begin(), narrow.end(), out.begin());
    } else {
      stream_.Download(labels, std::as_writable_bytes(out));
    }
  }
  state.emitted = ready;
  // Nearest sampling may pass over planes that are yet to come.
  const int64_t needed = ready < axis0.output_length()
                             ? std::min(axis0.indices(ready).front(), planes_end)
                             : planes_end;
  state.planes = state.planes.narrow(1, needed - state.planes_begin, planes_end - needed).clone();
  state.planes_begin = needed;
  return result;
}

}  // namespace nnseg
