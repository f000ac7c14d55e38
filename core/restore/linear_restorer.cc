#include "core/restore/linear_restorer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/float_environment.h"
#include "core/base/parallel_for.h"
#include "core/restore/label_paster.h"

namespace nnseg {

LinearRestorer::LinearRestorer(const SegmentationPlan& plan, const CaseProperties& properties,
                               AxisOperator axis0, AxisOperator axis1, AxisOperator axis2,
                               LabelSink sink)
    : plan_(plan),
      properties_(properties),
      axis0_(std::move(axis0)),
      decoder_(plan.labels.output_channels(), properties.network_shape[1],
               properties.network_shape[2], std::move(axis1), std::move(axis2)),
      sink_(std::move(sink)) {}

absl::Status LinearRestorer::Add(LogitSlab slab) {
  const Shape3& shape = slab.logits.shape();
  NNSEG_CHECK(slab.begin == last_.slab.end());
  NNSEG_CHECK(slab.logits.channels() == plan_.labels.output_channels());
  NNSEG_CHECK(shape[1] == properties_.network_shape[1] && shape[2] == properties_.network_shape[2]);
  const ScopedSubnormals subnormals;
  last_.slab = std::move(slab);
  last_.bounds.resize(last_.slab.logits.shape()[0] * decoder_.bounds_per_plane());
  ParallelFor(last_.slab.logits.shape()[0], [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto bounds =
          std::span(last_.bounds)
              .subspan(i * decoder_.bounds_per_plane(), decoder_.bounds_per_plane());
      decoder_.Bound(PlaneOf(last_, last_.slab.begin + i), bounds);
    }
  });
  int64_t ready = emitted_;
  while (ready < axis0_.output_length() && axis0_.indices(ready).back() < last_.slab.end()) ++ready;
  if (ready > emitted_) {
    if (absl::Status status = Emit(emitted_, ready); !status.ok()) return status;
    emitted_ = ready;
  }
  // Nearest sampling may pass over planes that are yet to come.
  const int64_t needed =
      ready < axis0_.output_length() ? axis0_.indices(ready).front() : last_.slab.end();
  Keep(std::min(needed, last_.slab.end()));
  return absl::OkStatus();
}

absl::Status LinearRestorer::Finish() {
  if (emitted_ == axis0_.output_length()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("logits ended at plane ", last_.slab.end(), ", expected ",
                                          properties_.network_shape[0]));
}

LogitPlane LinearRestorer::PlaneOf(const Stock& stock, int64_t index) const {
  const int64_t i = index - stock.slab.begin;
  NNSEG_CHECK(i >= 0 && index < stock.slab.end());
  return {stock.slab.logits.voxels().data() + i * plane_voxels(),
          stock.slab.logits.shape().voxels(),
          stock.bounds.data() + i * decoder_.bounds_per_plane()};
}

LogitPlane LinearRestorer::Plane(int64_t index) const {
  return PlaneOf(index >= last_.slab.begin ? last_ : kept_, index);
}

absl::Status LinearRestorer::Emit(int64_t begin, int64_t end) {
  PastedBlock pasted = PasteBlock(properties_, plan_.transpose_forward, begin, end);
  const VolumeView<uint16_t>& out = pasted.labels;
  const int64_t rows = out.shape[1];
  ParallelFor((end - begin) * rows, [&](int64_t first, int64_t last) {
    PlaneDecoder::Scratch scratch;
    std::vector<uint16_t> labels(out.shape[2]);
    for (int64_t i = first; i < last; ++i) {
      const int64_t k = begin + i / rows;
      std::array<LogitPlane, 2> planes;
      for (int t = 0; t < axis0_.taps(); ++t) planes[t] = Plane(axis0_.indices(k)[t]);
      decoder_.DecodeRow(std::span(planes).first(axis0_.taps()), axis0_.weights(k), i % rows,
                         scratch, labels);
      uint16_t* const row = &out.at({{i / rows, i % rows, 0}});
      for (int64_t x = 0; x < out.shape[2]; ++x) row[x * out.strides[2]] = labels[x];
    }
  });
  return sink_(std::move(pasted.block));
}

void LinearRestorer::Keep(int64_t begin) {
  const int64_t count = last_.slab.end() - begin;
  Stock kept;
  kept.slab.begin = begin;
  kept.slab.logits = Volume<Half>::Uninitialized(
      plan_.labels.output_channels(),
      {{count, properties_.network_shape[1], properties_.network_shape[2]}});
  for (int64_t i = 0; i < count; ++i) {
    const LogitPlane plane = Plane(begin + i);
    for (int64_t c = 0; c < plan_.labels.output_channels(); ++c) {
      std::copy_n(plane.data + c * plane.channel_stride, plane_voxels(),
                  &kept.slab.logits.at(c, {{i, 0, 0}}));
    }
    kept.bounds.insert(kept.bounds.end(), plane.bounds, plane.bounds + decoder_.bounds_per_plane());
  }
  kept_ = std::move(kept);
  const int64_t end = last_.slab.end();
  last_ = Stock{};
  last_.slab.begin = end;
}

}  // namespace nnseg
