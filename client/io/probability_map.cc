#include "client/io/probability_map.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/io/image_format.h"
#include "client/io/itk_file.h"
#include "client/io/itk_format.h"
#include "client/io/npz_writer.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

bool EndsIn(const std::string& path, absl::string_view ending) {
  return absl::EndsWith(absl::AsciiStrToLower(path), ending);
}

}  // namespace

absl::Status CheckProbabilityPath(const std::string& path) {
  for (const char* ending : {".npz", ".nii.gz", ".nii", ".nrrd"}) {
    if (EndsIn(path, ending)) return CheckFolderOf(path);
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": unknown file type, expected .npz, .nii.gz, .nii or .nrrd"));
}

absl::Status WriteProbabilities(const ProbabilityMap& map, const FileGrid& file,
                                const std::string& path) {
  NNSEG_RETURN_IF_ERROR(CheckProbabilityPath(path));
  if (EndsIn(path, ".npz")) {
    const Shape3& shape = map.values.shape();
    return WriteNpz(path, "probabilities", {map.values.channels(), shape[0], shape[1], shape[2]},
                    map.values.bytes());
  }
  NNSEG_ASSIGN_OR_RETURN(const itk::ImageIOBase::Pointer io, ImageIoFor(path));
  return GuardItk(absl::StrCat(path, ": cannot be written"), [&]() -> absl::Status {
    DescribeGrid(file.geometry, 4, map.values.channels(), *io);
    io->SetUseCompression(true);
    io->SetPixelTypeInfo(static_cast<const float*>(nullptr));
    if (file.turn == AxisTurn{}) {
      io->Write(map.values.bytes().data());
    } else {
      io->Write(Turned(map.values, file.turn.Inverse()).bytes().data());
    }
    return absl::OkStatus();
  });
}

}  // namespace nnseg
