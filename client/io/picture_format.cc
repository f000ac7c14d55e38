#include "client/io/picture_format.h"

#include <itkBMPImageIO.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/io/channel_stack.h"
#include "client/io/itk_file.h"
#include "client/io/itk_format.h"
#include "client/io/label_writer.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

/// Bits of a value in a PNG file; 0 when it is none.
int PngBitDepth(const std::string& path) {
  constexpr std::size_t kDepthAt = 24;  // signature, IHDR's length and name, width, height
  std::array<char, kDepthAt + 1> head{};
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), head.size());
  return file && std::memcmp(head.data() + 1, "PNG", 3) == 0 ? head[kDepthAt] : 0;
}

/// The channels, which lie side by side in each pixel of (y, x, channel), one after another.
absl::StatusOr<VoxelBuffer> Separated(const VoxelBuffer& pixels, int64_t channels) {
  const Shape3 slice{{1, pixels.shape()[0], pixels.shape()[1]}};
  NNSEG_ASSIGN_OR_RETURN(VoxelBuffer planes,
                         VoxelBuffer::Allocate(pixels.pixel_type(), channels, slice));
  const auto stride = pixels.shape()[2];
  VisitPixelType(pixels.pixel_type(), [&](auto zero) {
    using T = decltype(zero);
    const auto* from = reinterpret_cast<const T*>(pixels.bytes().data());
    auto* to = reinterpret_cast<T*>(planes.bytes().data());
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t i = 0; i < slice.voxels(); ++i) *to++ = from[i * stride + c];
    }
  });
  return planes;
}

/// BMP has no grey: a palette in which each entry is the grey of its own number stands for it.
bool HasGreyPalette(const itk::ImageIOBase& io) {
  const auto* bmp = dynamic_cast<const itk::BMPImageIO*>(&io);
  if (bmp == nullptr || bmp->GetColorPalette().empty()) return false;
  const auto& palette = bmp->GetColorPalette();
  for (std::size_t i = 0; i < palette.size(); ++i) {
    const auto grey = static_cast<unsigned char>(i);
    if (palette[i].GetRed() != grey || palette[i].GetGreen() != grey ||
        palette[i].GetBlue() != grey) {
      return false;
    }
  }
  return true;
}

absl::StatusOr<Image> ReadPicture(const std::string& path) {
  Image image;
  NNSEG_RETURN_IF_ERROR(GuardItk(absl::StrCat(path, ": cannot be read"), [&]() -> absl::Status {
    NNSEG_ASSIGN_OR_RETURN(const itk::ImageIOBase::Pointer io, OpenImageFile(path));
    const std::vector<int64_t> sizes = SizesOf(*io);
    const int64_t components = io->GetNumberOfComponents();
    if (sizes.size() != 2 || components == 2 || components > 4) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": ", absl::StrJoin(sizes, "x"), " pixels of ", components,
                       " values, expected a 2D picture, grey, RGB or RGBA"));
    }
    image.geometry.size = {sizes[0], sizes[1], 1};
    image.geometry.spacing_mm = {1, 1, 999};
    image.file.geometry = image.geometry;
    image.file.dimensions = 2;
    if (absl::Status valid = ValidateGeometry(image.geometry); !valid.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": ", valid.message()));
    }
    NNSEG_ASSIGN_OR_RETURN(const VoxelBuffer pixels,
                           ReadValues(*io, 1, {{sizes[1], sizes[0], components}}));
    NNSEG_ASSIGN_OR_RETURN(image.voxels, Separated(pixels, HasGreyPalette(*io) ? 1 : components));
    if (components == 1 && PngBitDepth(path) == 1) {  // ITK spreads 0 and 1 to 0 and 255
      for (std::byte& value : image.voxels.bytes()) value &= std::byte{1};
    }
    return absl::OkStatus();
  }));
  return image;
}

}  // namespace

absl::StatusOr<Image> PictureFormat::Read(const std::vector<std::string>& paths) const {
  return ReadAndStack(paths, &ReadPicture);
}

absl::Status PictureFormat::Write(const LabelMap& map, const FileGrid& file,
                                  const std::string& path) const {
  NNSEG_RETURN_IF_ERROR(CheckPath(path));
  const LabelType type = StoredTypeOf(map.labels.voxels());
  if (type == LabelType::kUint16 && absl::EndsWith(absl::AsciiStrToLower(path), ".bmp")) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": labels of 255 and more do not fit a BMP file, expected .png or .tif"));
  }
  return WriteLabels({file.geometry, type, Turned(map.labels, AxisTurn{})}, path, 2);
}

absl::Span<const absl::string_view> PictureFormat::endings() const {
  static constexpr std::array<absl::string_view, 4> kEndings{".png", ".bmp", ".tif", ".tiff"};
  return kEndings;
}

}  // namespace nnseg
