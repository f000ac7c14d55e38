#include "client/io/tiff_volume_format.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/io/channel_stack.h"
#include "client/io/itk_file.h"
#include "client/io/itk_format.h"
#include "client/io/label_writer.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

constexpr std::size_t kChannelSuffix = 5;  // "_0000"

/// "folder/case_0000.tif" without its ending and the last `drop` characters, with ".json".
std::string SpacingFileOf(const std::string& path, std::size_t drop) {
  std::string stem = path.substr(0, path.rfind('.'));
  stem.resize(stem.size() - std::min(drop, stem.size()));
  return stem + ".json";
}

/// Sets the image's spacing from `path`, or notes that there is no such file.
absl::Status ReadSpacing(const std::string& path, Image& image) {
  std::ifstream file(path);
  if (!file) {
    image.warnings.push_back(absl::StrCat(path, ": no such file: spacing is taken as 1 x 1 x 1"));
    return absl::OkStatus();
  }
  const auto json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  const auto spacing = json.is_object() ? json.find("spacing") : json.end();
  const bool good = json.is_object() && spacing != json.end() && spacing->is_array() &&
                    spacing->size() == 3 &&
                    std::all_of(spacing->begin(), spacing->end(),
                                [](const auto& entry) { return entry.is_number(); });
  if (!good) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected an object with the key \"spacing\", an array of 3 numbers"));
  }
  for (int axis = 0; axis < 3; ++axis) {
    image.geometry.spacing_mm[2 - axis] = (*spacing)[static_cast<std::size_t>(axis)].get<double>();
  }
  return absl::OkStatus();
}

absl::StatusOr<Image> ReadPages(const std::string& path) {
  Image image;
  NNSEG_RETURN_IF_ERROR(GuardItk(absl::StrCat(path, ": cannot be read"), [&]() -> absl::Status {
    NNSEG_ASSIGN_OR_RETURN(const itk::ImageIOBase::Pointer io, OpenImageFile(path));
    const std::vector<int64_t> sizes = SizesOf(*io);
    if (sizes.size() != 3 || io->GetNumberOfComponents() != 1) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": ", absl::StrJoin(sizes, "x"),
                                                     " pixels of ", io->GetNumberOfComponents(),
                                                     " values, expected several pages of 1 value"));
    }
    image.geometry.size = {sizes[0], sizes[1], sizes[2]};
    NNSEG_ASSIGN_OR_RETURN(image.voxels, ReadValues(*io, 1, image.geometry.shape()));
    return absl::OkStatus();
  }));
  return image;
}

}  // namespace

absl::StatusOr<Image> TiffVolumeFormat::Read(const std::vector<std::string>& paths) const {
  NNSEG_ASSIGN_OR_RETURN(Image image, ReadAndStack(paths, &ReadPages));
  NNSEG_RETURN_IF_ERROR(ReadSpacing(SpacingFileOf(paths[0], kChannelSuffix), image));
  if (absl::Status valid = ValidateGeometry(image.geometry); !valid.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(paths[0], ": ", valid.message()));
  }
  image.file.geometry = image.geometry;
  return image;
}

absl::Status TiffVolumeFormat::Write(const LabelMap& map, const FileGrid& file,
                                     const std::string& path) const {
  NNSEG_RETURN_IF_ERROR(CheckPath(path));
  const LabelType type = StoredTypeOf(map.labels.voxels());
  NNSEG_RETURN_IF_ERROR(WriteLabels({file.geometry, type, Turned(map.labels, AxisTurn{})}, path));
  const std::string spacing_path = SpacingFileOf(path, 0);
  std::ofstream out(spacing_path);
  const auto& spacing = file.geometry.spacing_mm;
  out << nlohmann::json{{"spacing", {spacing[2], spacing[1], spacing[0]}}}.dump(4);
  out.close();
  return out ? absl::OkStatus()
             : absl::InvalidArgumentError(absl::StrCat(spacing_path, ": cannot be written"));
}

absl::Span<const absl::string_view> TiffVolumeFormat::endings() const {
  static constexpr std::array<absl::string_view, 2> kEndings{".tif", ".tiff"};
  return kEndings;
}

}  // namespace nnseg
