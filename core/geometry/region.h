#ifndef NNSEG_CORE_GEOMETRY_REGION_H_
#define NNSEG_CORE_GEOMETRY_REGION_H_

#include <array>
#include <vector>

#include "core/geometry/box.h"
#include "core/geometry/geometry.h"

namespace nnseg {

/// A box of the patient's space, its faces along the axes of the LPS world: x, y, z, millimetres.
struct PhysicalBox {
  std::array<double, 3> begin_mm{};
  std::array<double, 3> end_mm{};
};

/// The smallest box of voxels (array axes) of an image that holds the physical box's corners, cut
/// to the image; empty where they do not meet. A voxel reaches half a spacing from its centre; a
/// corner within 1e-6 voxels of a voxel's face counts as on it. REQUIRES: finite corners, a valid
/// geometry.
Box3 VoxelsIn(const PhysicalBox& box, const Geometry& geometry);

/// The same voxels and perhaps some more in disjoint boxes: boxes that overlap are joined to their
/// bounding box until none do. REQUIRES: no box is empty.
std::vector<Box3> JoinOverlapping(std::vector<Box3> boxes);

}  // namespace nnseg

#endif  // NNSEG_CORE_GEOMETRY_REGION_H_
