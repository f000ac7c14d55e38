#ifndef NNSEG_CORE_RESAMPLE_SPLINE_PREFILTER_H_
#define NNSEG_CORE_RESAMPLE_SPLINE_PREFILTER_H_

#include <array>

#include "core/resample/prefilter_lines.h"
#include "core/volume/half.h"
#include "core/volume/volume.h"
#include "core/volume/volume_view.h"

namespace nnseg {

/// The cubic B-spline coefficients of one channel, filtered along the axes that `filtered` names,
/// each then longer by kSplineMargin on both sides. Bits as scipy's spline_filter makes them of an
/// image padded by kSplinePadding. Instantiated for float, double and Half. Uses ParallelFor.
template <typename T>
Volume<double> SplineCoefficients(const VolumeView<const T>& image,
                                  const std::array<bool, 3>& filtered);

}  // namespace nnseg

#endif  // NNSEG_CORE_RESAMPLE_SPLINE_PREFILTER_H_
