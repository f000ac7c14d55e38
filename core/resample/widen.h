#ifndef NNSEG_CORE_RESAMPLE_WIDEN_H_
#define NNSEG_CORE_RESAMPLE_WIDEN_H_

#include "core/volume/half.h"

namespace nnseg {

/// The same number in double precision, in which all resampling is done.
inline double Widen(double value) { return value; }
inline double Widen(float value) { return value; }
inline double Widen(Half value) { return static_cast<float>(value); }

}  // namespace nnseg

#endif  // NNSEG_CORE_RESAMPLE_WIDEN_H_
