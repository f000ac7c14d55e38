#include "client/io/label_writer.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/io/itk_format.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

void DescribeGrid(const Geometry& geometry, itk::ImageIOBase& io) {
  itk::ImageIORegion region(3);
  io.SetNumberOfDimensions(3);
  for (unsigned axis = 0; axis < 3; ++axis) {
    io.SetDimensions(axis, static_cast<itk::SizeValueType>(geometry.size[axis]));
    io.SetSpacing(axis, geometry.spacing_mm[axis]);
    io.SetOrigin(axis, geometry.origin_mm[axis]);
    io.SetDirection(axis,
                    std::vector<double>{geometry.direction[axis], geometry.direction[3 + axis],
                                        geometry.direction[6 + axis]});
    region.SetSize(axis, static_cast<itk::SizeValueType>(geometry.size[axis]));
  }
  io.SetIORegion(region);
}

template <typename T>
void WriteAs(std::span<const uint16_t> labels, itk::ImageIOBase& io) {
  const std::vector<T> voxels(labels.begin(), labels.end());
  io.SetPixelTypeInfo(static_cast<const T*>(nullptr));
  io.Write(voxels.data());
}

}  // namespace

absl::Status CheckLabelPath(const std::string& path) {
  NNSEG_RETURN_IF_ERROR(ImageIoFor(path).status());
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    return absl::NotFoundError(absl::StrCat(path, ": its folder does not exist"));
  }
  if (access(folder.c_str(), W_OK) != 0) {
    return absl::PermissionDeniedError(absl::StrCat(path, ": its folder may not be written"));
  }
  return absl::OkStatus();
}

absl::Status WriteLabels(const LabelMap& map, const std::string& path) {
  NNSEG_RETURN_IF_ERROR(CheckLabelPath(path));
  NNSEG_ASSIGN_OR_RETURN(const itk::ImageIOBase::Pointer io, ImageIoFor(path));
  return GuardItk(absl::StrCat(path, ": cannot be written"), [&]() -> absl::Status {
    DescribeGrid(map.geometry, *io);
    io->SetUseCompression(true);
    if (map.type == LabelType::kUint8) {
      WriteAs<uint8_t>(map.labels.voxels(), *io);
    } else {
      WriteAs<uint16_t>(map.labels.voxels(), *io);
    }
    return absl::OkStatus();
  });
}

}  // namespace nnseg
