#ifndef NNSEG_CORE_TILING_SLAB_ACCUMULATOR_H_
#define NNSEG_CORE_TILING_SLAB_ACCUMULATOR_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/tiling/logit_slab.h"
#include "core/tiling/patch_grid.h"
#include "core/volume/half.h"

namespace nnseg {

/// Sums weighted tiles in a window that rolls along axis 0, and hands on the rows that no later
/// tile can touch. Sums, weights and quotients are half-precision numbers, rounded after every tile
/// in tile order, and folds are averaged as half-precision logits, as nnU-Net 2.8.1 does on a CPU
/// (inference/predict_from_raw_data). Memory is (folds x channels + 1) x patch depth x the plane
/// that the grid's tiles cover.
///
/// Not thread-safe; works on ParallelFor's threads.
class SlabAccumulator {
 public:
  /// `importance` (patch size) is the weight of each voxel of a tile. `grid` must outlive this.
  SlabAccumulator(const PatchGrid& grid, std::vector<Half> importance, int64_t channels,
                  int64_t folds);

  /// Adds tile number `tile` of the grid as fold `fold` sees it: `logits` is (channels x patch
  /// size). REQUIRES: tiles come in the grid's order, each once for every fold, folds in order.
  void Add(int64_t tile, int64_t fold, std::span<const float> logits);

  /// The rows of axis 0 of the grid's box that the tiles added so far complete: after the last tile
  /// of a row of tiles everything below the next row. Empty (no rows) while there is nothing new.
  /// INTERNAL when a fold's logit is infinite.
  absl::StatusOr<LogitSlab> TakeFinished();

  /// Bytes that an accumulator and the slab that it hands on hold.
  static int64_t Bytes(const PatchGrid& grid, int64_t channels, int64_t folds);

 private:
  int64_t depth() const { return grid_.patch_size()[0]; }
  // The window's row that holds row `i0` of the padded volume, of one fold's channel.
  Half* SumPlane(int64_t fold, int64_t channel, int64_t i0) {
    return sums_.data() + ((fold * channels_ + channel) * depth() + i0 % depth()) * plane_;
  }
  Half* WeightPlane(int64_t i0) { return weights_.data() + i0 % depth() * plane_; }

  // Divides, checks and averages the row (i0, i1) of checked_ of a channel; false if a logit is
  // infinite.
  bool FinishRow(int64_t channel, int64_t i0, int64_t i1, std::span<Half> row);

  const PatchGrid& grid_;
  const std::vector<Half> importance_;
  const int64_t channels_;
  const int64_t folds_;
  const Box3 window_;          // of the padded volume: what the tiles cover
  const Box3 checked_;         // of the padded volume: what is divided and checked
  const int64_t plane_;        // voxels of a row of axis 0 of the window
  std::vector<Half> sums_;     // folds x channels x depth x plane
  std::vector<Half> weights_;  // depth x plane
  int64_t tiles_done_ = 0;     // by all folds
  int64_t rows_taken_;         // of the padded volume
};

}  // namespace nnseg

#endif  // NNSEG_CORE_TILING_SLAB_ACCUMULATOR_H_
