#ifndef NNSEG_CORE_PREPROCESS_NUMPY_SUM_H_
#define NNSEG_CORE_PREPROCESS_NUMPY_SUM_H_

#include <cstdint>

#include "core/volume/volume_view.h"

namespace nnseg {

/// Mean and population standard deviation as numpy 2.4.6 computes them in float: rounding errors
/// depend on the order of summation, which depends on how the voxels lie in memory.
struct NumpyMoments {
  float mean = 0;
  float std = 0;
};

/// ndarray.mean() and .std() of a strided view. numpy walks it in memory order and sums pairwise
/// whole (contiguous memory), row by row, or in chunks of at most 8192 voxels. REQUIRES: not empty.
NumpyMoments MomentsOf(const VolumeView<const float>& image);

/// The same of image[mask != 0], which numpy first copies in C order of the view: one pairwise sum.
/// Both 0 where the mask is empty. REQUIRES: equal shapes.
NumpyMoments MaskedMomentsOf(const VolumeView<const float>& image,
                             const VolumeView<const uint8_t>& mask);

}  // namespace nnseg

#endif  // NNSEG_CORE_PREPROCESS_NUMPY_SUM_H_
