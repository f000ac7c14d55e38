#ifndef NNSEG_CLIENT_IO_IMAGE_H_
#define NNSEG_CLIENT_IO_IMAGE_H_

#include <string>
#include <vector>

#include "core/geometry/geometry.h"
#include "core/volume/label_map.h"
#include "core/volume/volume.h"
#include "core/volume/voxel_buffer.h"

namespace nnseg {

/// A scan as read from its files.
struct Image {
  Geometry geometry;                  ///< of the first channel's file
  VoxelBuffer voxels;                 ///< one channel for each file, (channel, z, y, x)
  std::vector<std::string> warnings;  ///< what the user should know though it is no error
};

/// A whole label map on its image's grid.
struct LabelMap {
  Geometry geometry;
  LabelType type = LabelType::kUint8;  ///< number type in the file
  Volume<uint16_t> labels;             ///< one channel, (z, y, x)
};

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_IMAGE_H_
