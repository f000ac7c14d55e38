#include "client/io/nibabel_format.h"

#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "client/io/channel_stack.h"
#include "client/io/label_writer.h"
#include "client/io/nifti_file.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

/// Distance of voxels along a column of the affine as nibabel stores it in a turned image's header.
double LengthOfColumn(const NiftiAffine& affine, int column) {
  double sum = 0;
  for (int row = 0; row < 3; ++row) sum += affine[4 * row + column] * affine[4 * row + column];
  return static_cast<double>(static_cast<float>(std::sqrt(sum)));
}

/// The affine in ITK's terms. The service only carries origin and direction along, so that axes
/// which are not orthogonal, which ITK has no words for, may travel as the identity.
Geometry GeometryOf(const NiftiFile& file) {
  constexpr std::array<double, 3> kRasToLps{-1, -1, 1};
  Geometry geometry;
  geometry.size = file.size;
  geometry.spacing_mm = file.spacing_mm;
  for (int row = 0; row < 3; ++row) {
    geometry.origin_mm[row] = kRasToLps[row] * file.affine[4 * row + 3] + 0.0;
    for (int column = 0; column < 3; ++column) {
      const double length =
          std::hypot(file.affine[column], file.affine[4 + column], file.affine[8 + column]);
      geometry.direction[3 * row + column] =
          kRasToLps[row] * file.affine[4 * row + column] / length + 0.0;
    }
  }
  Geometry upright = geometry;
  upright.direction = Geometry{}.direction;
  return ValidateGeometry(geometry).ok() ? geometry : upright;
}

absl::StatusOr<Image> Read(const std::string& path, bool to_ras) {
  NNSEG_ASSIGN_OR_RETURN(NiftiFile file, ReadNifti(path));
  Image image;
  image.geometry = GeometryOf(file);
  image.file.geometry = image.geometry;
  image.file.affine = file.affine;
  if (to_ras) image.file.turn = TurnToRas(file.affine);
  if (image.file.turn == AxisTurn{}) {
    image.voxels = std::move(file.voxels);
  } else {
    image.geometry = Turned(image.geometry, image.file.turn);
    for (int a = 0; a < 3; ++a) {
      image.geometry.spacing_mm[a] = LengthOfColumn(file.affine, image.file.turn.axis[a]);
    }
    image.voxels = Turned(file.voxels, image.file.turn);
  }
  if (absl::Status valid = ValidateGeometry(image.geometry); !valid.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", valid.message()));
  }
  return image;
}

}  // namespace

absl::StatusOr<Image> NibabelFormat::Read(const std::vector<std::string>& paths) const {
  return ReadAndStack(
      paths, [this](const std::string& path) { return nnseg::Read(path, axes_ == Axes::kRas); });
}

absl::Status NibabelFormat::Write(const LabelMap& map, const FileGrid& file,
                                  const std::string& path) const {
  NNSEG_RETURN_IF_ERROR(CheckPath(path));
  const Volume<uint16_t> labels = Turned(map.labels, file.turn.Inverse());
  return WriteNiftiLabels(labels, StoredTypeOf(labels.voxels()), file.affine, path);
}

absl::Span<const absl::string_view> NibabelFormat::endings() const {
  static constexpr std::array<absl::string_view, 2> kEndings{".nii.gz", ".nii"};
  return kEndings;
}

}  // namespace nnseg
