#ifndef NNSEG_CLIENT_IO_PICTURE_FORMAT_H_
#define NNSEG_CLIENT_IO_PICTURE_FORMAT_H_

#include <string>
#include <vector>

#include "client/io/image_format.h"

namespace nnseg {

/// NaturalImage2DIO (nnU-Net 2.8.1, imageio/natural_image_reader_writer): grey pictures (one
/// channel) and RGB or RGBA ones (three or four) of .png, .bmp or .tif as one slice with spacing
/// (999, 1, 1).
class PictureFormat final : public ImageFormat {
 public:
  absl::StatusOr<Image> Read(const std::vector<std::string>& paths) const override;
  absl::Status Write(const LabelMap& map, const FileGrid& file,
                     const std::string& path) const override;
  absl::Span<const absl::string_view> endings() const override;
};

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_PICTURE_FORMAT_H_
