#include "client/io/label_writer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/io/itk_file.h"
#include "client/io/itk_format.h"
#include "core/base/status_macros.h"

namespace nnseg {

LabelType StoredTypeOf(std::span<const uint16_t> labels) {
  return std::all_of(labels.begin(), labels.end(), [](uint16_t label) { return label < 255; })
             ? LabelType::kUint8
             : LabelType::kUint16;
}

absl::Status WriteLabels(const LabelMap& map, const std::string& path, int dimensions) {
  NNSEG_ASSIGN_OR_RETURN(const itk::ImageIOBase::Pointer io, ImageIoFor(path));
  return GuardItk(absl::StrCat(path, ": cannot be written"), [&]() -> absl::Status {
    DescribeGrid(map.geometry, static_cast<unsigned>(dimensions), /*channels=*/1, *io);
    io->SetUseCompression(true);
    WriteLabelValues(map.labels.voxels(), map.type, *io);
    return absl::OkStatus();
  });
}

}  // namespace nnseg
