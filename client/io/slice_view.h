#ifndef NNSEG_CLIENT_IO_SLICE_VIEW_H_
#define NNSEG_CLIENT_IO_SLICE_VIEW_H_

#include <cstdint>
#include <vector>

#include "core/geometry/geometry.h"
#include "core/volume/volume.h"

namespace nnseg {

/// The planes of the body in which radiologists look at a scan.
enum class Plane { kAxial, kCoronal, kSagittal };

/// How a plane lies in the array, seen as radiologists see it: the patient's right on the left of
/// axial and coronal pictures, anterior on top of axial and left of sagittal ones, head up.
struct SliceView {
  /// One direction in the picture or through it: an array axis (index.h) and whether it runs the
  /// other way.
  struct Axis {
    int array_axis = 0;
    bool reversed = false;
    int64_t length = 0;     ///< voxels
    double spacing_mm = 0;  ///< between voxels
  };
  Axis columns;  ///< to the right
  Axis rows;     ///< down
  Axis slices;   ///< into the picture

  /// The voxel that the picture of slice `slice` shows at (column, row), all counted from 0.
  Index3 VoxelAt(int64_t slice, int64_t row, int64_t column) const;
};

/// The view for the image axes that lie nearest to the plane; an oblique image is not resampled.
SliceView ViewOfPlane(const Geometry& geometry, Plane plane);

/// `count` slices of `view` that split its labelled voxels into equal parts, so that each shows
/// some; evenly spaced ones when nothing is labelled. Ascending; REQUIRES: count > 0.
std::vector<int64_t> ChooseSlices(const Volume<uint16_t>& labels, const SliceView& view, int count);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_SLICE_VIEW_H_
