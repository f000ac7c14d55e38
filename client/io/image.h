#ifndef NNSEG_CLIENT_IO_IMAGE_H_
#define NNSEG_CLIENT_IO_IMAGE_H_

#include <array>
#include <string>
#include <vector>

#include "client/io/axis_turn.h"
#include "core/geometry/geometry.h"
#include "core/volume/label_map.h"
#include "core/volume/volume.h"
#include "core/volume/voxel_buffer.h"

namespace nnseg {

/// What must be known of an image's first file to write labels that lie exactly on it.
struct FileGrid {
  Geometry geometry;     ///< of the file, before any turn; a picture has 1 voxel along z
  int dimensions = 3;    ///< axes of the file: 2 or 3
  AxisTurn turn;         ///< from the file's axes to the image's
  NiftiAffine affine{};  ///< of a file that was read by nibabel's rules
};

/// A scan as read from its files.
struct Image {
  Geometry geometry;                  ///< of the voxels: what is sent
  VoxelBuffer voxels;                 ///< (channel, z, y, x)
  std::vector<std::string> warnings;  ///< what the user should know though it is no error
  FileGrid file;                      ///< for ImageFormat::Write
};

/// A whole label map on its image's grid.
struct LabelMap {
  Geometry geometry;
  LabelType type = LabelType::kUint8;  ///< number type as sent
  Volume<uint16_t> labels;             ///< one channel, (z, y, x)
};

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_IMAGE_H_
