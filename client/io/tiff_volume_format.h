#ifndef NNSEG_CLIENT_IO_TIFF_VOLUME_FORMAT_H_
#define NNSEG_CLIENT_IO_TIFF_VOLUME_FORMAT_H_

#include <string>
#include <vector>

#include "client/io/image_format.h"

namespace nnseg {

/// Tiff3DIO (nnU-Net 2.8.1, imageio/tif_reader_writer): the pages of a TIFF file as a volume; its
/// spacing stands in <case>.json, key "spacing", in array order, and is (1, 1, 1) without that
/// file. <case> is the first file's name without its ending and its channel ("_0000"). Labels are
/// written with their own <name>.json.
class TiffVolumeFormat final : public ImageFormat {
 public:
  absl::StatusOr<Image> Read(const std::vector<std::string>& paths) const override;
  absl::Status Write(const LabelMap& map, const FileGrid& file,
                     const std::string& path) const override;
  absl::Span<const absl::string_view> endings() const override;
};

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_TIFF_VOLUME_FORMAT_H_
