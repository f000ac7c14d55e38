#include "client/io/image_reader.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/io/completeness.h"
#include "client/io/itk_format.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

/// The wire's type of the same width and kind; nothing for 64-bit integers.
std::optional<PixelType> PixelTypeOf(const itk::ImageIOBase& io) {
  const auto size = io.GetComponentSize();
  switch (io.GetComponentType()) {
    case itk::IOComponentEnum::FLOAT:
      return PixelType::kFloat32;
    case itk::IOComponentEnum::DOUBLE:
      return PixelType::kFloat64;
    case itk::IOComponentEnum::CHAR:
    case itk::IOComponentEnum::SHORT:
    case itk::IOComponentEnum::INT:
    case itk::IOComponentEnum::LONG:
    case itk::IOComponentEnum::LONGLONG:
      if (size == 1) return PixelType::kInt8;
      if (size == 2) return PixelType::kInt16;
      if (size == 4) return PixelType::kInt32;
      return std::nullopt;
    default:
      if (size == 1) return PixelType::kUint8;
      if (size == 2) return PixelType::kUint16;
      if (size == 4) return PixelType::kUint32;
      return std::nullopt;
  }
}

/// Size, spacing, origin and direction as itk::ImageFileReader hands them on.
Geometry GeometryOf(const itk::ImageIOBase& io) {
  Geometry geometry;
  for (unsigned axis = 0; axis < 3; ++axis) {
    geometry.size[axis] = static_cast<int64_t>(io.GetDimensions(axis));
    const double spacing = io.GetSpacing(axis);
    geometry.spacing_mm[axis] = std::abs(spacing);
    geometry.origin_mm[axis] = io.GetOrigin(axis) + 0.0;  // + 0.0: never -0
    const std::vector<double> cosines = io.GetDirection(axis);
    for (unsigned row = 0; row < 3; ++row) {
      geometry.direction[3 * row + axis] = std::copysign(1.0, spacing) * cosines[row] + 0.0;
    }
  }
  return geometry;
}

/// One scalar value a voxel, on a grid of three axes (further axes of length 1 are ignored).
absl::Status CheckScalarVolume(const itk::ImageIOBase& io, const std::string& path) {
  const unsigned dimensions = io.GetNumberOfDimensions();
  std::vector<itk::SizeValueType> size(dimensions);
  for (unsigned i = 0; i < dimensions; ++i) size[i] = io.GetDimensions(i);
  const bool volume = dimensions >= 3 && std::all_of(size.begin() + 3, size.end(),
                                                     [](auto length) { return length == 1; });
  if (!volume) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", dimensions, "D image of ", absl::StrJoin(size, "x"),
                     " voxels, expected a 3D volume (give several channels as several files)"));
  }
  if (io.GetNumberOfComponents() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", io.GetNumberOfComponents(),
                                                   " values a voxel, expected 1 (give several "
                                                   "channels as several files)"));
  }
  return absl::OkStatus();
}

absl::Status CheckComplete(const itk::ImageIOBase& io, const std::string& path) {
  const absl::string_view format = io.GetNameOfClass();
  if (format == "NiftiImageIO") return CheckNiftiIsComplete(path);
  if (format == "MetaImageIO") {
    return CheckMetaImageIsComplete(path, static_cast<int64_t>(io.GetImageSizeInBytes()));
  }
  return absl::OkStatus();
}

void ReadVoxels(itk::ImageIOBase& io, void* to) {
  const unsigned dimensions = io.GetNumberOfDimensions();
  itk::ImageIORegion region(dimensions);
  for (unsigned i = 0; i < dimensions; ++i) region.SetSize(i, io.GetDimensions(i));
  io.SetIORegion(region);
  io.Read(to);
}

template <typename T>
absl::Status ReadWideIntegers(itk::ImageIOBase& io, VoxelBuffer& to) {
  std::vector<T> wide(static_cast<std::size_t>(to.shape().voxels()));
  ReadVoxels(io, wide.data());
  auto* out = reinterpret_cast<float*>(to.bytes().data());
  std::transform(wide.begin(), wide.end(), out, [](T value) { return static_cast<float>(value); });
  return absl::OkStatus();
}

absl::StatusOr<Image> ReadChannel(const std::string& path) {
  NNSEG_ASSIGN_OR_RETURN(const itk::ImageIOBase::Pointer io, ImageIoFor(path));
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  }
  Image image;
  NNSEG_RETURN_IF_ERROR(GuardItk(absl::StrCat(path, ": cannot be read"), [&]() -> absl::Status {
    io->ReadImageInformation();
    NNSEG_RETURN_IF_ERROR(CheckScalarVolume(*io, path));
    image.geometry = GeometryOf(*io);
    if (absl::Status valid = ValidateGeometry(image.geometry); !valid.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": ", valid.message()));
    }
    NNSEG_RETURN_IF_ERROR(CheckComplete(*io, path));
    const std::optional<PixelType> type = PixelTypeOf(*io);
    NNSEG_ASSIGN_OR_RETURN(image.voxels, VoxelBuffer::Allocate(type.value_or(PixelType::kFloat32),
                                                               1, image.geometry.shape()));
    if (type.has_value()) {
      ReadVoxels(*io, image.voxels.bytes().data());
      return absl::OkStatus();
    }
    const bool is_signed = io->GetComponentType() == itk::IOComponentEnum::LONG ||
                           io->GetComponentType() == itk::IOComponentEnum::LONGLONG;
    return is_signed ? ReadWideIntegers<int64_t>(*io, image.voxels)
                     : ReadWideIntegers<uint64_t>(*io, image.voxels);
  }));
  return image;
}

/// numpy.allclose with its default tolerances.
template <std::size_t n>
bool AllClose(const std::array<double, n>& expected, const std::array<double, n>& got) {
  return std::equal(expected.begin(), expected.end(), got.begin(), [](double a, double b) {
    return std::abs(a - b) <= 1e-8 + 1e-5 * std::abs(b);
  });
}

absl::Status CheckSameGrid(const Geometry& first, const Geometry& other, const std::string& path,
                           std::vector<std::string>& warnings) {
  if (other.size != first.size || !AllClose(other.spacing_mm, first.spacing_mm)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": ", absl::StrJoin(other.size, "x"), " voxels of ",
        absl::StrJoin(other.spacing_mm, "x"), " mm, expected ", absl::StrJoin(first.size, "x"),
        " of ", absl::StrJoin(first.spacing_mm, "x"), " mm as in the first file"));
  }
  if (!AllClose(other.origin_mm, first.origin_mm) || !AllClose(other.direction, first.direction)) {
    warnings.push_back(absl::StrCat(path, ": origin or direction differs from the first file's"));
  }
  return absl::OkStatus();
}

/// The channels in one buffer, in their own type when they share it, else in float32.
absl::StatusOr<VoxelBuffer> Stack(const std::vector<VoxelBuffer>& channels) {
  const bool same_type = std::all_of(channels.begin(), channels.end(), [&](const auto& channel) {
    return channel.pixel_type() == channels[0].pixel_type();
  });
  NNSEG_ASSIGN_OR_RETURN(
      VoxelBuffer stack,
      VoxelBuffer::Allocate(same_type ? channels[0].pixel_type() : PixelType::kFloat32,
                            static_cast<int64_t>(channels.size()), channels[0].shape()));
  std::byte* out = stack.bytes().data();
  for (const VoxelBuffer& channel : channels) {
    if (same_type) {
      out = std::copy(channel.bytes().begin(), channel.bytes().end(), out);
    } else {
      const Volume<float> converted = channel.ToFloat();
      const auto bytes = std::as_bytes(converted.voxels());
      out = std::copy(bytes.begin(), bytes.end(), out);
    }
  }
  return stack;
}

}  // namespace

absl::StatusOr<Image> ReadImage(const std::vector<std::string>& paths) {
  NNSEG_CHECK(!paths.empty());
  NNSEG_ASSIGN_OR_RETURN(Image image, ReadChannel(paths[0]));
  if (paths.size() == 1) return image;
  std::vector<VoxelBuffer> channels;
  channels.push_back(std::move(image.voxels));
  for (std::size_t i = 1; i < paths.size(); ++i) {
    NNSEG_ASSIGN_OR_RETURN(Image next, ReadChannel(paths[i]));
    NNSEG_RETURN_IF_ERROR(CheckSameGrid(image.geometry, next.geometry, paths[i], image.warnings));
    channels.push_back(std::move(next.voxels));
  }
  NNSEG_ASSIGN_OR_RETURN(image.voxels, Stack(channels));
  return image;
}

}  // namespace nnseg
