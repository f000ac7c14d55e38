#ifndef NNSEG_CORE_RESAMPLE_PREFILTER_LINES_H_
#define NNSEG_CORE_RESAMPLE_PREFILTER_LINES_H_

#include <cstdint>

namespace nnseg {

/// Copies of the edge sample that scipy puts before and after a line (mode "nearest").
inline constexpr int64_t kSplinePadding = 12;

/// Coefficients kept outside of the image on both sides of a filtered axis: all that cubic taps
/// reach.
inline constexpr int64_t kSplineMargin = 2;

/// Lines that PrefilterLines filters at once.
inline constexpr int64_t kPrefilterLanes = 32;

/// No coefficient exceeds the largest magnitude of its line's samples times this (3 but for
/// rounding).
inline constexpr double kPrefilterGrowth = 4;

/// Turns the samples of kPrefilterLanes lines into cubic B-spline coefficients, in place, with the
/// bits of scipy 1.17.1 (ni_splines.c, mode "reflect") for lines padded by kSplinePadding. The
/// lines lie side by side: sample i of line j is first[i * stride + j], 0 <= i < count.
/// kSplineMargin rows before and after them take the coefficients outside; what they held is not
/// read. `bound`: no magnitude exceeds it. REQUIRES: count >= 1.
void PrefilterLines(double* first, int64_t stride, int64_t count, double bound);

}  // namespace nnseg

#endif  // NNSEG_CORE_RESAMPLE_PREFILTER_LINES_H_
