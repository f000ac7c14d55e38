#ifndef NNSEG_CORE_GEOMETRY_SPACING_H_
#define NNSEG_CORE_GEOMETRY_SPACING_H_

#include <array>

namespace nnseg {

/// Distance of neighbouring voxel centres in millimetres, array order (index.h), finite and > 0.
struct Spacing3 : std::array<double, 3> {
  double voxel_volume_mm3() const { return (*this)[0] * (*this)[1] * (*this)[2]; }
};

}  // namespace nnseg

#endif  // NNSEG_CORE_GEOMETRY_SPACING_H_
