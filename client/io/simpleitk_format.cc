#include "client/io/simpleitk_format.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "client/io/channel_stack.h"
#include "client/io/image_reader.h"
#include "client/io/label_writer.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

absl::StatusOr<Image> ReadInRas(const std::string& path) {
  NNSEG_ASSIGN_OR_RETURN(Image image, ReadImage({path}));
  if (image.file.dimensions != 3 || image.voxels.channels() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": the model wants its image turned to RAS, which takes a file of 3 axes"));
  }
  image.file.turn = TurnToRas(image.geometry);
  if (image.file.turn == AxisTurn{}) return image;
  image.geometry = Turned(image.geometry, image.file.turn);
  image.voxels = Turned(image.voxels, image.file.turn);
  return image;
}

}  // namespace

absl::StatusOr<Image> SimpleItkFormat::Read(const std::vector<std::string>& paths) const {
  return axes_ == Axes::kRas ? ReadAndStack(paths, &ReadInRas) : ReadImage(paths);
}

absl::Status SimpleItkFormat::Write(const LabelMap& map, const FileGrid& file,
                                    const std::string& path) const {
  NNSEG_RETURN_IF_ERROR(CheckPath(path));
  LabelMap stored;
  stored.geometry = file.geometry;
  stored.labels = Turned(map.labels, file.turn.Inverse());
  stored.type = StoredTypeOf(stored.labels.voxels());
  const auto labels = stored.labels.voxels();
  if (axes_ == Axes::kRas &&
      std::all_of(labels.begin(), labels.end(), [](uint16_t label) { return label <= 255; })) {
    stored.type = LabelType::kUint8;
  }
  return WriteLabels(stored, path, file.dimensions);
}

absl::Span<const absl::string_view> SimpleItkFormat::endings() const {
  static constexpr std::array<absl::string_view, 5> kEndings{".nii.gz", ".nii", ".nrrd", ".mha",
                                                             ".mhd"};
  return kEndings;
}

}  // namespace nnseg
