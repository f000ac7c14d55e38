#ifndef NNSEG_CORE_TILING_GAUSSIAN_IMPORTANCE_H_
#define NNSEG_CORE_TILING_GAUSSIAN_IMPORTANCE_H_

#include <vector>

#include "core/geometry/index.h"
#include "core/volume/half.h"

namespace nnseg {

/// The weight of each voxel of a tile, dense C order: nnU-Net 2.8.1's compute_gaussian with
/// sigma_scale 1/8 and value_scaling_factor 10. Half precision, subnormals included; weights that
/// would be 0 are the smallest other weight.
std::vector<Half> GaussianImportance(const Shape3& patch_size);

/// Weight 1 everywhere: prediction without a Gaussian.
std::vector<Half> UniformImportance(const Shape3& patch_size);

}  // namespace nnseg

#endif  // NNSEG_CORE_TILING_GAUSSIAN_IMPORTANCE_H_
