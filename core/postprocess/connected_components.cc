#include "core/postprocess/connected_components.h"

#include <algorithm>
#include <numeric>

#include "core/base/check.h"
#include "core/base/parallel_for.h"

namespace nnseg {
namespace {

// Axes of one voxel first, else in order: neighbours stay neighbours and offsets the same.
Shape3 WithLongRows(const Shape3& shape) {
  Shape3 result = shape;
  std::stable_partition(result.begin(), result.end(), [](int64_t n) { return n == 1; });
  return result;
}

// Calls found(begin, end) for each run of a row.
template <typename Found>
void ForEachRun(std::span<const uint16_t> row, const std::vector<uint8_t>& mask, Found found) {
  const auto in_mask = [&mask](uint16_t label) { return label < mask.size() && mask[label] != 0; };
  auto begin = row.begin();
  while ((begin = std::find_if(begin, row.end(), in_mask)) != row.end()) {
    const auto end = std::find_if_not(begin, row.end(), in_mask);
    found(static_cast<uint32_t>(begin - row.begin()), static_cast<uint32_t>(end - row.begin()));
    begin = end;
  }
}

}  // namespace

ConnectedComponents::ConnectedComponents(const Volume<uint16_t>& labels, const LabelSet& mask)
    : shape_(WithLongRows(labels.shape())) {
  NNSEG_CHECK(labels.channels() == 1);
  NNSEG_CHECK(labels.size() < int64_t{1} << 32);
  FindRuns(labels.voxels(), mask);
  JoinRuns();
  CountSizes();
}

void ConnectedComponents::FindRuns(std::span<const uint16_t> labels, const LabelSet& mask) {
  const std::vector<uint8_t> bytes(mask.begin(), mask.end());  // faster to read than bits
  const auto length = static_cast<std::size_t>(shape_[2]);
  // Counted first, so that the runs take no more memory than they need.
  first_run_.assign(rows() + 1, 0);
  ParallelFor(rows(), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      uint32_t& count = first_run_[row + 1];
      ForEachRun(labels.subspan(row * length, length), bytes,
                 [&count](uint32_t, uint32_t) { ++count; });
    }
  });
  std::partial_sum(first_run_.begin(), first_run_.end(), first_run_.begin());
  runs_.resize(first_run_.back());
  ParallelFor(rows(), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      uint32_t run = first_run_[row];
      if (run == first_run_[row + 1]) continue;
      ForEachRun(labels.subspan(row * length, length), bytes, [&](uint32_t from, uint32_t to) {
        runs_[run++] = {from, to};
      });
    }
  });
}

void ConnectedComponents::JoinRuns() {
  parents_.resize(runs_.size());
  std::iota(parents_.begin(), parents_.end(), 0U);
  // Slabs of planes are joined each by itself, and then with the slab before them.
  std::vector<uint8_t> starts_slab(shape_[0], 0);
  ParallelFor(shape_[0], [&](int64_t begin, int64_t end) {
    starts_slab[begin] = 1;
    for (int64_t plane = begin; plane < end; ++plane) {
      for (int64_t i = 1; i < shape_[1]; ++i) {
        JoinRows(plane * shape_[1] + i, plane * shape_[1] + i - 1);
      }
      if (plane > begin) JoinPlanes(plane, plane - 1);
    }
  });
  for (int64_t plane = 1; plane < shape_[0]; ++plane) {
    if (starts_slab[plane] != 0) JoinPlanes(plane, plane - 1);
  }
}

void ConnectedComponents::JoinPlanes(int64_t plane, int64_t other) {
  for (int64_t i = 0; i < shape_[1]; ++i) {
    const int64_t last = std::min(i + 1, shape_[1] - 1);
    for (int64_t j = std::max<int64_t>(i - 1, 0); j <= last; ++j) {
      JoinRows(plane * shape_[1] + i, other * shape_[1] + j);
    }
  }
}

void ConnectedComponents::JoinRows(int64_t row, int64_t other) {
  uint32_t a = first_run_[row];
  uint32_t b = first_run_[other];
  while (a < first_run_[row + 1] && b < first_run_[other + 1]) {
    // Runs that only touch at a corner share an end.
    if (runs_[a].begin <= runs_[b].end && runs_[b].begin <= runs_[a].end) Unite(a, b);
    (runs_[a].end < runs_[b].end ? a : b) += 1;
  }
}

void ConnectedComponents::CountSizes() {
  sizes_.assign(runs_.size(), 0);
  // A parent has the smaller number, so it already points at its root.
  for (uint32_t run = 0; run < runs_.size(); ++run) {
    parents_[run] = parents_[parents_[run]];
    sizes_[parents_[run]] += runs_[run].end - runs_[run].begin;
  }
  if (!sizes_.empty()) largest_size_ = *std::max_element(sizes_.begin(), sizes_.end());
}

uint32_t ConnectedComponents::Root(uint32_t run) {
  while (parents_[run] != run) {
    parents_[run] = parents_[parents_[run]];
    run = parents_[run];
  }
  return run;
}

void ConnectedComponents::Unite(uint32_t a, uint32_t b) {
  a = Root(a);
  b = Root(b);
  parents_[std::max(a, b)] = std::min(a, b);
}

int64_t ConnectedComponents::Bytes(int64_t voxels) {
  // Every other voxel a run, in rows of 3 (of 1 only if that is all): 2 runs and an offset.
  constexpr int64_t kPerRun = sizeof(Run) + 2 * sizeof(uint32_t);
  constexpr int64_t kRow = 3;
  constexpr int64_t kPerRow = 2 * kPerRun + static_cast<int64_t>(sizeof(uint32_t));
  return (voxels + kRow) * kPerRow / kRow;
}

}  // namespace nnseg
