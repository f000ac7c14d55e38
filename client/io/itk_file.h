#ifndef NNSEG_CLIENT_IO_ITK_FILE_H_
#define NNSEG_CLIENT_IO_ITK_FILE_H_

#include <itkImageIOBase.h>

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/geometry/geometry.h"
#include "core/volume/label_map.h"
#include "core/volume/voxel_buffer.h"

namespace nnseg {

/// Opens an image file and reads its header. NOT_FOUND when there is no such file; INVALID_ARGUMENT
/// when ITK cannot read it or the file is incomplete. May throw ITK's exceptions: call within
/// GuardItk.
absl::StatusOr<itk::ImageIOBase::Pointer> OpenImageFile(const std::string& path);

/// Sizes along the file's axes, x first.
std::vector<int64_t> SizesOf(const itk::ImageIOBase& io);

/// Reads all values in the order of the file (components of a voxel first, then x, y, ...) into a
/// buffer of that many values. They keep their number type; 64-bit integers become float32. May
/// throw. REQUIRES: channels * shape.voxels() equals the number of values.
absl::StatusOr<VoxelBuffer> ReadValues(itk::ImageIOBase& io, int64_t channels, const Shape3& shape);

/// Tells `io` of the grid of a file to be written: 2 or 3 axes, or 4, whose last counts channels.
void DescribeGrid(const Geometry& geometry, unsigned dimensions, int64_t channels,
                  itk::ImageIOBase& io);

/// Writes labels as uint8 or uint16 on the grid that `io` was told of. May throw.
void WriteLabelValues(std::span<const uint16_t> labels, LabelType type, itk::ImageIOBase& io);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_ITK_FILE_H_
