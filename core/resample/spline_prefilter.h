#ifndef NNSEG_CORE_RESAMPLE_SPLINE_PREFILTER_H_
#define NNSEG_CORE_RESAMPLE_SPLINE_PREFILTER_H_

#include <array>
#include <cstdint>
#include <span>

#include "core/volume/half.h"
#include "core/volume/volume.h"
#include "core/volume/volume_view.h"

namespace nnseg {

/// Copies of the edge sample that scipy puts before and after a line (mode "nearest").
inline constexpr int64_t kSplinePadding = 12;

/// Coefficients kept outside of the image on both sides of a filtered axis: all that cubic taps
/// reach.
inline constexpr int64_t kSplineMargin = 2;

/// Lines that PrefilterLines filters at once.
inline constexpr int64_t kPrefilterLanes = 16;

/// Turns the samples of kPrefilterLanes lines into cubic B-spline coefficients, in place, with the
/// bits of scipy 1.17.1 (ni_splines.c, mode "reflect"). The lines are interleaved: sample i of line
/// j is lines[i * kPrefilterLanes + j].
void PrefilterLines(std::span<double> lines);

/// The cubic B-spline coefficients of one channel, filtered along the axes that `filtered` names,
/// each then longer by kSplineMargin on both sides. Bits as scipy's spline_filter makes them of an
/// image padded by kSplinePadding. Instantiated for float, double and Half. Uses ParallelFor.
template <typename T>
Volume<double> SplineCoefficients(const VolumeView<const T>& image,
                                  const std::array<bool, 3>& filtered);

}  // namespace nnseg

#endif  // NNSEG_CORE_RESAMPLE_SPLINE_PREFILTER_H_
