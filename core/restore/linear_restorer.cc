#include "core/restore/linear_restorer.h"

#include <array>
#include <utility>

#include "core/base/parallel_for.h"
#include "core/volume/volume_view.h"

namespace nnseg {
namespace {

std::vector<uint16_t> PaintedLabels(const LabelTable& table) {
  if (!table.has_regions()) return {};
  return {table.regions_class_order().begin(), table.regions_class_order().end()};
}

}  // namespace

LinearRestorer::LinearRestorer(const SegmentationPlan& plan, const RestoreBoxes& boxes,
                               AxisOperator axis0, AxisOperator axis1, const AxisOperator& axis2,
                               LabelSink sink)
    : PlanewiseRestorer(plan, boxes),
      rule_{{std::move(axis0), std::move(axis1), axis2}, PaintedLabels(plan.labels)},
      decoder_(plan.labels, boxes.logits.shape()[1], boxes.logits.shape()[2], rule_.axes[1],
               rule_.axes[2]),
      sink_(std::move(sink)) {}

std::array<int64_t, 2> LinearRestorer::InputPlanes(int64_t k) const {
  return {axis0_.indices(k).front(), axis0_.indices(k).back()};
}

void LinearRestorer::Arrived(int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) bounds_[i].resize(decoder_.bounds_per_plane());
  ParallelFor(end - begin, [&](int64_t first, int64_t last) {
    for (int64_t i = begin + first; i < begin + last; ++i) decoder_.Bound(Plane(i), bounds_.at(i));
  });
}

LabelBlock LinearRestorer::MakeBlock(int64_t begin, int64_t end) const {
  LabelBlock block{.box = ReaderBox(begin, end)};
  block.labels = Volume<uint16_t>::Uninitialized(1, block.box.shape());
  return block;
}

absl::Status LinearRestorer::AddLabels(LabelPlanes planes) {
  const int64_t end = planes.begin + planes.labels.shape()[0];
  Emitted(planes.begin, end);
  LabelBlock block = MakeBlock(planes.begin, end);
  const VolumeView<uint16_t> out = ViewOf(block.labels, 0).Permuted(plan().transpose_forward);
  ParallelFor(out.shape[0], [&](int64_t first, int64_t last) {
    for (int64_t k = first; k < last; ++k) {
      const uint16_t* label = &planes.labels.at(0, {{k, 0, 0}});
      for (int64_t y = 0; y < out.shape[1]; ++y) {
        for (int64_t x = 0; x < out.shape[2]; ++x) out.at({{k, y, x}}) = *label++;
      }
    }
  });
  return sink_(std::move(block));
}

absl::Status LinearRestorer::Emit(int64_t begin, int64_t end) {
  LabelBlock block = MakeBlock(begin, end);
  const VolumeView<uint16_t> out = ViewOf(block.labels, 0).Permuted(plan().transpose_forward);
  const int64_t rows = out.shape[1];
  ParallelFor((end - begin) * rows, [&](int64_t first, int64_t last) {
    PlaneDecoder::Scratch scratch(plan().labels);
    std::vector<uint16_t> labels(out.shape[2]);
    for (int64_t i = first; i < last; ++i) {
      const int64_t k = begin + i / rows;
      std::array<BoundedPlane, 2> planes;
      for (int t = 0; t < axis0_.taps(); ++t) {
        const int64_t index = axis0_.indices(k)[t];
        planes[t] = {Plane(index), bounds_.at(index).data()};
      }
      decoder_.DecodeRow(std::span(planes).first(axis0_.taps()), axis0_.weights(k), i % rows,
                         scratch, labels);
      uint16_t* const row = &out.at({{i / rows, i % rows, 0}});
      for (int64_t x = 0; x < out.shape[2]; ++x) row[x * out.strides[2]] = labels[x];
    }
  });
  // Planes below the last one that was read are not read again.
  bounds_.erase(bounds_.begin(), bounds_.lower_bound(InputPlanes(end - 1).front()));
  return sink_(std::move(block));
}

}  // namespace nnseg
