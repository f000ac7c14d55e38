#ifndef NNSEG_CORE_RESAMPLE_PLANE_INTERPOLATOR_H_
#define NNSEG_CORE_RESAMPLE_PLANE_INTERPOLATOR_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/resample/axis_operator.h"
#include "core/volume/half.h"

namespace nnseg {

/// One of the input planes that an output plane is interpolated from: a tap along axis 0.
/// Strides count elements.
template <typename T>
struct PlaneTap {
  const T* data = nullptr;
  int64_t row_stride = 0;     ///< from one index of axis 1 to the next
  int64_t column_stride = 1;  ///< from one index of axis 2 to the next
  double weight = 1;          ///< along axis 0
};

/// Interpolates plane after plane of a 3D image, with the bits of scipy 1.17.1's ndimage.zoom and
/// map_coordinates: the sum over taps, last axis fastest, of ((v * w_axis0) * w_axis1) * w_axis2,
/// added up from 0 in double precision.
///
/// Reuses its scratch memory; one thread at a time, so each thread has its own.
class PlaneInterpolator {
 public:
  /// What happens along axis 1 and axis 2. Both must outlive the interpolator.
  PlaneInterpolator(const AxisOperator& axis1, const AxisOperator& axis2);

  /// Fills `out`, dense axis1.output_length() x axis2.output_length(), from `planes`, the taps
  /// along axis 0 in order (one of weight 1 when axis 0 is not interpolated), of which there are at
  /// most four. Instantiated for float, double and Half.
  template <typename T>
  void Interpolate(std::span<const PlaneTap<T>> planes, std::span<double> out);

 private:
  // Output columns [begin, end), made of the input columns [first, first + span).
  struct Run {
    int64_t begin, end, first, span;
  };

  const AxisOperator& axis1_;
  const AxisOperator& axis2_;
  std::vector<Run> runs_;
  std::vector<double> widened_;   // rows at a time x columns of a run
  std::vector<double> weighted_;  // columns of a run x (taps of axes 0 and 1) x rows at a time
};

}  // namespace nnseg

#endif  // NNSEG_CORE_RESAMPLE_PLANE_INTERPOLATOR_H_
