#ifndef NNSEG_CORE_RESTORE_LOGIT_RESAMPLER_H_
#define NNSEG_CORE_RESTORE_LOGIT_RESAMPLER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "core/geometry/index.h"
#include "core/resample/axis_operator.h"
#include "core/resample/torch_interpolation.h"
#include "core/restore/logit_plane.h"

namespace nnseg {

/// Makes whole planes of resampled logits, in float as the non-linearity takes them, from two
/// planes of the network's at most. Immutable; thread-safe.
class LogitResampler {
 public:
  virtual ~LogitResampler() = default;

  /// Splines of order 0 or 1 along each axis, from a grid of `input` voxels; each logit is rounded
  /// to half (nnU-Net 2.8.1, resample_data_or_seg_to_shape on half-precision logits).
  static std::unique_ptr<LogitResampler> Spline(const Shape3& input,
                                                std::array<AxisOperator, 3> axes);
  /// torch's interpolation, unrounded (resample_torch_fornnunet).
  static std::unique_ptr<LogitResampler> Torch(TorchInterpolation interpolation);

  /// The lower and upper input plane of output plane `k`. Neither ever decreases with `k`.
  virtual std::array<int64_t, 2> InputPlanes(int64_t k) const = 0;
  /// Fills `out`, dense, with output plane `k` of one channel, from the planes that InputPlanes(k)
  /// names.
  virtual void Resample(int64_t channel, int64_t k, const std::array<LogitPlane, 2>& planes,
                        std::span<float> out) const = 0;

 protected:
  LogitResampler() = default;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_LOGIT_RESAMPLER_H_
