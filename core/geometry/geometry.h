#ifndef NNSEG_CORE_GEOMETRY_GEOMETRY_H_
#define NNSEG_CORE_GEOMETRY_GEOMETRY_H_

#include <array>

#include "absl/status/status.h"
#include "core/geometry/index.h"
#include "core/geometry/spacing.h"

namespace nnseg {

/// Where an image lies in the patient, in ITK's sense: x, y, z order, millimetres, LPS world. The
/// pipeline uses size and spacing only; origin and direction travel along unchanged.
struct Geometry {
  std::array<int64_t, 3> size{};                               ///< voxels along x, y, z
  std::array<double, 3> spacing_mm{1, 1, 1};                   ///< along x, y, z
  std::array<double, 3> origin_mm{};                           ///< centre of the first voxel, LPS
  std::array<double, 9> direction{1, 0, 0, 0, 1, 0, 0, 0, 1};  ///< row-major, columns are the axes

  /// The extent as an array (z, y, x).
  Shape3 shape() const { return {{size[2], size[1], size[0]}}; }
  /// The spacing in array order (z, y, x).
  Spacing3 spacing() const { return {{spacing_mm[2], spacing_mm[1], spacing_mm[0]}}; }

  bool operator==(const Geometry&) const = default;
};

/// Largest number of voxels along one axis that the service accepts.
inline constexpr int64_t kMaxAxisVoxels = 16384;

/// INVALID_ARGUMENT, naming the value, unless sizes lie in [1, kMaxAxisVoxels], spacings are finite
/// and within [1e-3, 1e6] mm, the origin is finite and the direction is a rotation or reflection
/// (|det| within 1e-3 of 1, all entries finite).
absl::Status ValidateGeometry(const Geometry& geometry);

}  // namespace nnseg

#endif  // NNSEG_CORE_GEOMETRY_GEOMETRY_H_
