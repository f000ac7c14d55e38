#ifndef NNSEG_CORE_POSTPROCESS_CONNECTED_COMPONENTS_H_
#define NNSEG_CORE_POSTPROCESS_CONNECTED_COMPONENTS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/geometry/index.h"
#include "core/volume/volume.h"

namespace nnseg {

/// A set of labels: entry l says whether label l belongs to it; labels beyond its end do not.
using LabelSet = std::vector<bool>;

/// Voxels [begin, end) of a row along the last axis.
struct Run {
  uint32_t begin = 0;
  uint32_t end = 0;
};

/// The components of the voxels of a label map whose label lies in a set, connected through faces,
/// edges and corners (26 neighbours; 8 in a single slice). Rows are held as runs, which a
/// union-find joins, so time and memory follow the mask and not the volume. Immutable; works on
/// ParallelFor's threads.
class ConnectedComponents {
 public:
  /// REQUIRES: one channel, fewer than 2^32 voxels.
  ConnectedComponents(const Volume<uint16_t>& labels, const LabelSet& mask);

  /// The shape in which rows are counted: the map's, with axes of one voxel moved to the front, so
  /// that rows are long. Offsets of voxels are the same in both.
  const Shape3& shape() const { return shape_; }
  int64_t rows() const { return shape_[0] * shape_[1]; }

  /// All runs, row by row; those of `row` are numbers [first_run(row), first_run(row + 1)).
  std::span<const Run> runs() const { return runs_; }
  uint32_t first_run(int64_t row) const { return first_run_[row]; }

  /// Voxels of the component that run number `run` belongs to.
  uint32_t component_size(uint32_t run) const { return sizes_[parents_[run]]; }
  /// Voxels of the largest component; 0 if the mask is empty.
  uint32_t largest_size() const { return largest_size_; }

  /// Bytes that the components of a map of `voxels` voxels hold at most.
  static int64_t Bytes(int64_t voxels);

 private:
  void FindRuns(std::span<const uint16_t> labels, const LabelSet& mask);
  void JoinRuns();
  void JoinPlanes(int64_t plane, int64_t other);
  void JoinRows(int64_t row, int64_t other);
  void CountSizes();

  uint32_t Root(uint32_t run);
  void Unite(uint32_t a, uint32_t b);

  Shape3 shape_;
  std::vector<uint32_t> first_run_;  // rows + 1
  std::vector<Run> runs_;
  std::vector<uint32_t> parents_;  // of each run: another of its component, in the end its root
  std::vector<uint32_t> sizes_;    // of the component of each root; of other runs 0
  uint32_t largest_size_ = 0;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_POSTPROCESS_CONNECTED_COMPONENTS_H_
