#ifndef NNSEG_CORE_RESAMPLE_AXIS_OPERATOR_H_
#define NNSEG_CORE_RESAMPLE_AXIS_OPERATOR_H_

#include <cstdint>
#include <span>
#include <vector>

namespace nnseg {

/// What resampling does along one axis: output sample k is a weighted sum of taps() input samples.
/// Coordinates and weights are scipy 1.17.1's of ndimage.zoom(grid_mode=True, mode="nearest"), to
/// the last bit; so are those of map_coordinates as nnU-Net 2.8.1 calls it. Immutable.
class AxisOperator {
 public:
  /// Output sample k is input sample k.
  static AxisOperator Identity(int64_t length);

  /// From `input` to `output` samples that cover the same extent, by splines of `order`:
  ///   0  the nearest sample, halves up: one tap
  ///   1  two taps, clamped to the axis; one tap where input == output
  ///   3  four taps into spline coefficients (spline_prefilter.h), whose axis is longer than the
  ///      input's by kSplineMargin on both sides; also where input == output
  /// REQUIRES: input >= 1, output >= 1, order 0, 1 or 3.
  static AxisOperator Resize(int64_t input, int64_t output, int order);

  /// The outputs [begin, end) of this one, from an input whose first sample is `input_begin`.
  /// REQUIRES: they read nothing before that sample.
  AxisOperator Part(int64_t begin, int64_t end, int64_t input_begin) const;

  int taps() const { return taps_; }
  int64_t output_length() const { return static_cast<int64_t>(indices_.size()) / taps_; }

  /// The samples that output `k` reads, in the order of summation: positions along the input, or
  /// along the coefficients for order 3. Clamped.
  std::span<const int64_t> indices(int64_t k) const {
    return {indices_.data() + k * taps_, static_cast<std::size_t>(taps_)};
  }
  /// Their weights.
  std::span<const double> weights(int64_t k) const {
    return {weights_.data() + k * taps_, static_cast<std::size_t>(taps_)};
  }

 private:
  explicit AxisOperator(int taps) : taps_(taps) {}

  int taps_;
  std::vector<int64_t> indices_;  // output_length x taps
  std::vector<double> weights_;   // output_length x taps
};

}  // namespace nnseg

#endif  // NNSEG_CORE_RESAMPLE_AXIS_OPERATOR_H_
