#ifndef NNSEG_CORE_RESAMPLE_TORCH_INTERPOLATION_H_
#define NNSEG_CORE_RESAMPLE_TORCH_INTERPOLATION_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/geometry/box.h"
#include "core/geometry/index.h"
#include "core/resample/torch_axis.h"
#include "core/volume/half.h"

namespace nnseg {

/// One input plane of one channel: an index of axis 0. Strides count elements.
template <typename T>
struct InputPlane {
  const T* data = nullptr;
  int64_t row_stride = 0;     ///< from one index of axis 1 to the next
  int64_t column_stride = 1;  ///< from one index of axis 2 to the next
};

/// nnU-Net 2.8.1's resample_torch_fornnunet (is_seg false) with the bits of torch 2.15 on x86-64
/// with AVX2 or AVX-512: linear in float, along all axes, or along two axes and "nearest-exact"
/// along the third. Makes any rows of any output plane, so that neither input nor output need exist
/// as a whole. Immutable; thread-safe.
///
/// REQUIRES: input != output. nnU-Net leaves equal shapes as they are; so must the caller.
class TorchInterpolation {
 public:
  /// Memory for Rows, one for each thread.
  class Scratch {
    friend class TorchInterpolation;
    std::vector<float> samples;              // one input row, widened
    std::array<std::vector<float>, 4> rows;  // of both planes, interpolated along axis 2
    std::array<int64_t, 4> row_indices{};    // which input rows they are
    std::vector<float> plane_row;            // of the upper plane, interpolated along axis 1 too
  };

  /// From `input` to `output` voxels. `separate_axis` is SeparateAxis(rule.force_separate_z, ...).
  /// `channels` is how many nnU-Net resamples in one call (all of the image's, all logits), and
  /// `strides` how nnU-Net's array of the input lies in memory. Both decide torch's rounding: it
  /// takes small slices, and slices of one channel that lie interleaved, eight at a time.
  TorchInterpolation(const Shape3& input, const Shape3& output, std::optional<int> separate_axis,
                     int64_t channels, const Index3& strides);
  /// For a dense array in C order, as logits are.
  TorchInterpolation(const Shape3& input, const Shape3& output, std::optional<int> separate_axis,
                     int64_t channels)
      : TorchInterpolation(input, output, separate_axis, channels, input.strides()) {}

  /// This interpolation for the box `output` alone, from the box `input` of the input. REQUIRES: it
  /// reads nothing outside of that box.
  TorchInterpolation Part(const Box3& output, const Box3& input) const {
    return TorchInterpolation(*this, output, input);
  }

  const Shape3& input() const { return input_; }
  const Shape3& output() const { return output_; }

  /// The lower and upper input plane that output plane `k` is made of; both may be the same.
  /// Neither ever decreases with `k`. Nearest sampling may pass over planes.
  std::array<int64_t, 2> planes(int64_t k) const { return {axes_[0].lower[k], axes_[0].upper[k]}; }

  /// Fills `out`, dense, with the rows [begin, end) of output plane `k` of channel `channel`, from
  /// the planes that planes(k) names. A call for many rows does less work than many calls for one.
  /// Instantiated for float and Half.
  template <typename T>
  void Rows(int64_t channel, int64_t k, const std::array<InputPlane<T>, 2>& planes, int64_t begin,
            int64_t end, Scratch& scratch, std::span<float> out) const;

  /// The axis that is not linear, if any.
  std::optional<int> separate_axis() const { return separate_axis_; }
  /// What happens along each axis.
  const TorchAxis& axis(int i) const { return axes_[i]; }
  /// Whether TorchBilinear sums the two axes that are not separate; else TorchLerp runs over the
  /// axes one by one.
  bool slices_by_eight() const { return slices_by_eight_; }
  /// The slices of `channel` (indices of the separate axis) before this one are summed as whole
  /// vectors. May be negative or beyond the last.
  int64_t whole_vector_end(int64_t channel) const;

 private:
  TorchInterpolation(const TorchInterpolation& whole, const Box3& output, const Box3& input);

  template <typename T>
  void AxisByAxis(int64_t k, const std::array<InputPlane<T>, 2>& planes, int64_t begin, int64_t end,
                  Scratch& scratch, std::span<float> out) const;
  template <typename T>
  void SlicesByEight(int64_t channel, int64_t k, const std::array<InputPlane<T>, 2>& planes,
                     int64_t begin, int64_t end, std::span<float> out) const;

  const Shape3 input_;
  const Shape3 output_;
  const std::optional<int> separate_axis_;
  const int64_t channels_;
  int64_t slices_ = 1;       // of one channel of the whole input along the separate axis
  int64_t first_slice_ = 0;  // of this part
  bool slices_by_eight_ = false;
  std::array<TorchAxis, 3> axes_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_RESAMPLE_TORCH_INTERPOLATION_H_
