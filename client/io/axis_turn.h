#ifndef NNSEG_CLIENT_IO_AXIS_TURN_H_
#define NNSEG_CLIENT_IO_AXIS_TURN_H_

#include <array>

#include "core/geometry/geometry.h"
#include "core/volume/volume.h"
#include "core/volume/voxel_buffer.h"

namespace nnseg {

/// From voxel (i, j, k, 1) to nibabel's RAS world, millimetres: three rows of four.
using NiftiAffine = std::array<double, 12>;

/// A change of an image's axes without resampling: the new axis a (x, y, z) is the old axis
/// `axis[a]`, running the other way where `reversed[a]`.
struct AxisTurn {
  std::array<int, 3> axis{0, 1, 2};
  std::array<bool, 3> reversed{};

  /// The turn that undoes this one.
  AxisTurn Inverse() const;
  bool operator==(const AxisTurn&) const = default;
};

/// The turn to RAS (axes that run to the patient's right, front and head: against x, against y and
/// along z of the LPS world), with the axes named as
/// ITK's DICOMOrient names them: the largest direction cosine first (ITK 5.4,
/// itkDICOMOrientation).
AxisTurn TurnToRas(const Geometry& geometry);

/// The same as nibabel's io_orientation names the axes: by the rotation nearest to the affine
/// (nibabel 5.4, orientations). REQUIRES: the affine's 3x3 part is regular.
AxisTurn TurnToRas(const NiftiAffine& affine);

/// The grid, the voxels or the labels after a turn; each voxel keeps its place in the world.
Geometry Turned(const Geometry& geometry, const AxisTurn& turn);
VoxelBuffer Turned(const VoxelBuffer& voxels, const AxisTurn& turn);
Volume<uint16_t> Turned(const Volume<uint16_t>& labels, const AxisTurn& turn);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_AXIS_TURN_H_
