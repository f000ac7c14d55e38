#include "client/io/image_format.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/io/nibabel_format.h"
#include "client/io/picture_format.h"
#include "client/io/simpleitk_format.h"
#include "client/io/tiff_volume_format.h"

namespace nnseg {

absl::Status ImageFormat::CheckPath(const std::string& path) const {
  const std::string name = absl::AsciiStrToLower(path);
  const auto known = endings();
  if (std::none_of(known.begin(), known.end(),
                   [&](absl::string_view ending) { return absl::EndsWith(name, ending); })) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": unknown file type, expected ", absl::StrJoin(known, ", ")));
  }
  return CheckFolderOf(path);
}

absl::StatusOr<const ImageFormat*> FindImageFormat(absl::string_view name) {
  static const SimpleItkFormat simple_itk(SimpleItkFormat::Axes::kOfTheFile);
  static const SimpleItkFormat simple_itk_ras(SimpleItkFormat::Axes::kRas);
  static const NibabelFormat nibabel(NibabelFormat::Axes::kOfTheFile);
  static const NibabelFormat nibabel_ras(NibabelFormat::Axes::kRas);
  static const PictureFormat picture;
  static const TiffVolumeFormat tiff;
  if (name == "SimpleITKIO") return &simple_itk;
  if (name == "SimpleITKIOWithReorient") return &simple_itk_ras;
  if (name == "NibabelIO") return &nibabel;
  if (name == "NibabelIOWithReorient") return &nibabel_ras;
  if (name == "NaturalImage2DIO") return &picture;
  if (name == "Tiff3DIO") return &tiff;
  return absl::InvalidArgumentError(
      absl::StrCat("the model's reader is '", name,
                   "', expected SimpleITKIO, SimpleITKIOWithReorient, NibabelIO, "
                   "NibabelIOWithReorient, NaturalImage2DIO or Tiff3DIO"));
}

absl::Status CheckFolderOf(const std::string& path) {
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

}  // namespace nnseg
