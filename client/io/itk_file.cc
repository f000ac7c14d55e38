#include "client/io/itk_file.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "client/io/completeness.h"
#include "client/io/itk_format.h"
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
void ReadWideIntegers(itk::ImageIOBase& io, VoxelBuffer& to) {
  std::vector<T> wide(to.bytes().size() / sizeof(float));
  ReadVoxels(io, wide.data());
  auto* out = reinterpret_cast<float*>(to.bytes().data());
  std::transform(wide.begin(), wide.end(), out, [](T value) { return static_cast<float>(value); });
}

template <typename T>
void WriteAs(std::span<const uint16_t> labels, itk::ImageIOBase& io) {
  const std::vector<T> voxels(labels.begin(), labels.end());
  io.SetPixelTypeInfo(static_cast<const T*>(nullptr));
  io.Write(voxels.data());
}

}  // namespace

absl::StatusOr<itk::ImageIOBase::Pointer> OpenImageFile(const std::string& path) {
  NNSEG_ASSIGN_OR_RETURN(itk::ImageIOBase::Pointer io, ImageIoFor(path));
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  }
  io->ReadImageInformation();
  NNSEG_RETURN_IF_ERROR(CheckComplete(*io, path));
  return io;
}

std::vector<int64_t> SizesOf(const itk::ImageIOBase& io) {
  std::vector<int64_t> sizes(io.GetNumberOfDimensions());
  for (unsigned i = 0; i < sizes.size(); ++i) sizes[i] = static_cast<int64_t>(io.GetDimensions(i));
  return sizes;
}

absl::StatusOr<VoxelBuffer> ReadValues(itk::ImageIOBase& io, int64_t channels,
                                       const Shape3& shape) {
  const std::optional<PixelType> type = PixelTypeOf(io);
  NNSEG_ASSIGN_OR_RETURN(
      VoxelBuffer values,
      VoxelBuffer::Allocate(type.value_or(PixelType::kFloat32), channels, shape));
  if (type.has_value()) {
    ReadVoxels(io, values.bytes().data());
  } else if (io.GetComponentType() == itk::IOComponentEnum::LONG ||
             io.GetComponentType() == itk::IOComponentEnum::LONGLONG) {
    ReadWideIntegers<int64_t>(io, values);
  } else {
    ReadWideIntegers<uint64_t>(io, values);
  }
  return values;
}

void DescribeGrid(const Geometry& geometry, unsigned dimensions, int64_t channels,
                  itk::ImageIOBase& io) {
  itk::ImageIORegion region(dimensions);
  io.SetNumberOfDimensions(dimensions);
  for (unsigned axis = 0; axis < dimensions; ++axis) {
    const bool spatial = axis < 3;
    const auto size = static_cast<itk::SizeValueType>(spatial ? geometry.size[axis] : channels);
    std::vector<double> cosines(dimensions, 0);
    if (!spatial) cosines[axis] = 1;
    for (unsigned row = 0; spatial && row < std::min(dimensions, 3U); ++row) {
      cosines[row] = geometry.direction[3 * row + axis];
    }
    io.SetDimensions(axis, size);
    io.SetSpacing(axis, spatial ? geometry.spacing_mm[axis] : 1);
    io.SetOrigin(axis, spatial ? geometry.origin_mm[axis] : 0);
    io.SetDirection(axis, cosines);
    region.SetSize(axis, size);
  }
  io.SetIORegion(region);
}

void WriteLabelValues(std::span<const uint16_t> labels, LabelType type, itk::ImageIOBase& io) {
  if (type == LabelType::kUint8) {
    WriteAs<uint8_t>(labels, io);
  } else {
    WriteAs<uint16_t>(labels, io);
  }
}

}  // namespace nnseg
