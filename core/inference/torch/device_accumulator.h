#ifndef NNSEG_CORE_INFERENCE_TORCH_DEVICE_ACCUMULATOR_H_
#define NNSEG_CORE_INFERENCE_TORCH_DEVICE_ACCUMULATOR_H_

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "core/geometry/box.h"
#include "core/inference/torch/device_stream.h"
#include "core/tiling/patch_grid.h"
#include "core/volume/half.h"

namespace nnseg {

/// SlabAccumulator on a device, with its bits for logits in float: half-precision sums of weighted
/// tiles in a window that rolls along axis 0, rounded after every tile in tile order, and folds
/// averaged as half-precision logits. Logits in half precision are weighted in half precision, as
/// nnU-Net 2.8.1 does on CUDA.
///
/// Used inside of DeviceStream::Run; throws what torch throws.
class DeviceAccumulator {
 public:
  /// `importance` (patch size) is the weight of each voxel of a tile. `grid` must outlive this.
  DeviceAccumulator(const PatchGrid& grid, std::span<const Half> importance, int64_t channels,
                    int64_t folds, DeviceStream& stream);
  ~DeviceAccumulator();

  /// Device bytes that it holds for a grid whose tiles of `patch` voxels cover a window of
  /// `window`, at its peak: sums and weights, and what TakeFinished makes of them.
  static int64_t Bytes(const Shape3& patch, const Shape3& window, int64_t channels, int64_t folds);
  /// Of what TakeFinished hands on, at most.
  static int64_t FinishedBytes(const Shape3& patch, const Shape3& window, int64_t channels,
                               int64_t folds);

  /// Adds tile number `tile` of the grid as fold `fold` sees it: `logits` is (channels x patch
  /// size). REQUIRES: tiles come in the grid's order, each once for every fold, folds in order.
  void Add(int64_t tile, int64_t fold, const at::Tensor& logits);

  /// Where the rows begin, in the network's grid, that TakeFinished gives next.
  Index3 next_begin() const;
  /// The rows of axis 0 of the grid's box that the tiles added so far complete, half-precision
  /// (channels x rows x axis 1 x axis 2); none while there is nothing new. INTERNAL when a fold's
  /// logit is infinite.
  absl::StatusOr<at::Tensor> TakeFinished();

 private:
  struct Sums;

  const PatchGrid& grid_;
  const int64_t folds_;
  const Box3 window_;       // of the padded volume: what the tiles cover
  int64_t tiles_done_ = 0;  // by all folds
  int64_t rows_taken_;      // of the padded volume
  std::unique_ptr<Sums> sums_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TORCH_DEVICE_ACCUMULATOR_H_
