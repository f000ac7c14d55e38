#include "client/io/image_reader.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/io/channel_stack.h"
#include "client/io/itk_file.h"
#include "client/io/itk_format.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

/// Size, spacing, origin and direction of the spatial axes as itk::ImageFileReader hands them on; a
/// picture gets nnU-Net's huge distance along z.
Geometry GeometryOf(const itk::ImageIOBase& io) {
  constexpr double kPictureSpacing = 999;
  const unsigned axes = std::min(io.GetNumberOfDimensions(), 3U);
  Geometry geometry;
  geometry.size[2] = 1;
  for (unsigned axis = 0; axis < axes; ++axis) {
    geometry.size[axis] = static_cast<int64_t>(io.GetDimensions(axis));
    const double spacing = io.GetSpacing(axis);
    geometry.spacing_mm[axis] = std::abs(spacing);
    geometry.origin_mm[axis] = io.GetOrigin(axis) + 0.0;  // + 0.0: never -0
    const std::vector<double> cosines = io.GetDirection(axis);
    for (unsigned row = 0; row < axes; ++row) {
      geometry.direction[3 * row + axis] = std::copysign(1.0, spacing) * cosines[row] + 0.0;
    }
  }
  if (axes == 2) {
    geometry.spacing_mm[2] =
        kPictureSpacing * std::max(geometry.spacing_mm[0], geometry.spacing_mm[1]);
  }
  return geometry;
}

/// One scalar value a voxel, on a grid of two to four axes; the fourth counts channels.
absl::Status CheckScalarImage(const itk::ImageIOBase& io, const std::string& path) {
  const std::vector<int64_t> sizes = SizesOf(io);
  if (sizes.size() < 2 || std::any_of(sizes.begin() + std::min<std::size_t>(sizes.size(), 4),
                                      sizes.end(), [](int64_t length) { return length != 1; })) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", sizes.size(), "D image of ", absl::StrJoin(sizes, "x"),
                     " voxels, expected 2 or 3 axes, or 4 of which the last counts channels"));
  }
  if (io.GetNumberOfComponents() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", io.GetNumberOfComponents(),
                                                   " values a voxel, expected 1 (give several "
                                                   "channels as several files)"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Image> ReadFile(const std::string& path) {
  Image image;
  NNSEG_RETURN_IF_ERROR(GuardItk(absl::StrCat(path, ": cannot be read"), [&]() -> absl::Status {
    NNSEG_ASSIGN_OR_RETURN(const itk::ImageIOBase::Pointer io, OpenImageFile(path));
    NNSEG_RETURN_IF_ERROR(CheckScalarImage(*io, path));
    image.geometry = GeometryOf(*io);
    if (absl::Status valid = ValidateGeometry(image.geometry); !valid.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": ", valid.message()));
    }
    const std::vector<int64_t> sizes = SizesOf(*io);
    image.file.geometry = image.geometry;
    image.file.dimensions = sizes.size() == 2 ? 2 : 3;
    NNSEG_ASSIGN_OR_RETURN(
        image.voxels, ReadValues(*io, sizes.size() > 3 ? sizes[3] : 1, image.geometry.shape()));
    return absl::OkStatus();
  }));
  return image;
}

}  // namespace

absl::StatusOr<Image> ReadImage(const std::vector<std::string>& paths) {
  return ReadAndStack(paths, &ReadFile);
}

}  // namespace nnseg
