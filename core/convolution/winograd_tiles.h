#ifndef NNSEG_CORE_CONVOLUTION_WINOGRAD_TILES_H_
#define NNSEG_CORE_CONVOLUTION_WINOGRAD_TILES_H_

#include <array>
#include <cstdint>
#include <span>

#include "core/convolution/channel_moments.h"
#include "core/geometry/index.h"

namespace nnseg {

/// The transforms of Winograd's minimal filtering F(2, 3) (Lavin & Gray, Fast Algorithms for
/// Convolutional Neural Networks, 2016), nested over two or three axes: along each, two
/// neighbouring outputs of a kernel of 3 take 4 products in place of 6. A tile is 2 x 2 outputs
/// along axes 1 and 2, and where the kernel is 3 deep, times 2 along axis 0. Its products are its
/// 16 or 64 points.
///
/// Eight tiles that are neighbours along axis 2 are worked on at once, one in each lane of a
/// vector, in an order of lanes that only this class knows.
class WinogradTiles {
 public:
  static constexpr int64_t kTiles = 8;
  static constexpr int64_t kWidth = 2 * kTiles;  ///< outputs along axis 2

  /// Points of a tile, its outputs along axis 0, and how many tiles that are neighbours along axis
  /// 0 have their inputs transformed together, for a kernel of `depth` 1 or 3 along axis 0.
  static constexpr int64_t Points(int depth) { return depth == 3 ? 64 : 16; }
  static constexpr int64_t TileDepth(int depth) { return depth == 3 ? 2 : 1; }
  static constexpr int64_t TilesTogether(int depth) { return depth == 3 ? 2 : 1; }

  /// A kernel (depth x 3 x 3) at a tile's points.
  static void TransformKernel(int depth, std::span<const float> kernel, std::span<float> points);

  /// Eight tiles of a volume whose first output is the voxel `first`.
  WinogradTiles(const Shape3& volume, int depth, const Index3& first);

  /// What the tiles' outputs depend on, at their points: point p of the eight tiles goes to
  /// points + p * stride. `channel` is one channel of the volume; around it lie zeros. For a deep
  /// kernel the next eight tiles along axis 0, which share half of their inputs with these, follow
  /// at points + kTiles.
  void TransformInput(const float* channel, float* points, int64_t stride) const;

  /// The same of two channels, as bfloat16: at each point a word for each of the eight tiles, the
  /// first channel in its lower half. REQUIRES: HasProducts(ProductPrecision::kBf16).
  void TransformInputPair(const float* first, const float* second, float* points,
                          int64_t stride) const;

  /// Brings what TransformInput will read of `channel` into the cache.
  void Prefetch(const float* channel) const;

  /// The first step back from points to outputs, along axis 0: from the products at four points
  /// that differ there alone, points + i * stride, to those of its two outputs. Each is `count`
  /// numbers, a multiple of 8.
  static void CombinePlanes(const float* points, int64_t stride, int64_t count, float* first,
                            float* second);

  /// The tiles' outputs, plus `bias`, to `channel`: from their outputs along axis 0 at the 16
  /// points of the others, point p of output i at points + (i * 16 + p) * stride. Outputs outside
  /// of the volume are left out. Adds them to `sums`. With `past_caches` they go to memory directly
  /// where whole lines are written; the caller then ends with _mm_sfence().
  void TransformOutput(const float* points, int64_t stride, float bias, bool past_caches,
                       float* channel, ChannelSums& sums) const;

 private:
  int64_t OffsetOf(const Index3& at) const {
    return (at[0] * volume_[1] + at[1]) * volume_[2] + at[2];
  }
  bool HasRow(const Index3& at) const {
    return at[0] >= 0 && at[0] < volume_[0] && at[1] >= 0 && at[1] < volume_[1];
  }
  int input_planes() const { return depth_ == 3 ? kDeepPlanes : 1; }
  Index3 first_input() const { return first_ - Index3{{depth_ / 2, 1, 1}}; }

  static constexpr int kDeepPlanes = 6;  // inputs along axis 0 of two tiles

  Shape3 volume_;
  int depth_;
  Index3 first_;
  bool inner_;  // all inputs along axis 2 lie in the volume
};

}  // namespace nnseg

#endif  // NNSEG_CORE_CONVOLUTION_WINOGRAD_TILES_H_
