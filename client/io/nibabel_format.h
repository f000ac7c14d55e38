#ifndef NNSEG_CLIENT_IO_NIBABEL_FORMAT_H_
#define NNSEG_CLIENT_IO_NIBABEL_FORMAT_H_

#include <string>
#include <vector>

#include "client/io/image_format.h"

namespace nnseg {

/// NibabelIO and NibabelIOWithReorient (nnU-Net 2.8.1, imageio/nibabel_reader_writer): 3D NIfTI
/// files, values scaled in float64, spacing from the header or, where axes were turned, from the
/// affine. Labels get the image's affine as their sform.
class NibabelFormat final : public ImageFormat {
 public:
  /// Axes of the image: the file's own, or turned to run to the patient's right, front and head.
  enum class Axes { kOfTheFile, kRas };
  explicit NibabelFormat(Axes axes) : axes_(axes) {}

  absl::StatusOr<Image> Read(const std::vector<std::string>& paths) const override;
  absl::Status Write(const LabelMap& map, const FileGrid& file,
                     const std::string& path) const override;
  absl::Span<const absl::string_view> endings() const override;

 private:
  const Axes axes_;
};

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_NIBABEL_FORMAT_H_
