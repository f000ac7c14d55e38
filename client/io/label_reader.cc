#include "client/io/label_reader.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "client/io/label_writer.h"
#include "core/base/status_macros.h"

namespace nnseg {

absl::StatusOr<LabelMap> ReadLabels(const ImageFormat& format, const std::string& path) {
  NNSEG_ASSIGN_OR_RETURN(const Image image, format.Read({path}));
  if (image.voxels.channels() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", image.voxels.channels(), " channels, expected 1 of labels"));
  }
  const Volume<float> values = image.voxels.ToFloat();
  LabelMap map;
  map.geometry = image.geometry;
  map.labels = Volume<uint16_t>::Uninitialized(1, values.shape());
  auto out = map.labels.voxels().begin();
  for (const float value : values.voxels()) {
    if (!(value >= 0 && value <= 65535) || value != std::floor(value)) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": value ", value, ", expected labels: whole numbers of 0 to 65535"));
    }
    *out++ = static_cast<uint16_t>(value);
  }
  map.type = StoredTypeOf(map.labels.voxels());
  return map;
}

}  // namespace nnseg
