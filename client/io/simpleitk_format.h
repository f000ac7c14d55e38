#ifndef NNSEG_CLIENT_IO_SIMPLEITK_FORMAT_H_
#define NNSEG_CLIENT_IO_SIMPLEITK_FORMAT_H_

#include <string>
#include <vector>

#include "client/io/image_format.h"

namespace nnseg {

/// SimpleITKIO and SimpleITKIOWithReorient (nnU-Net 2.8.1, imageio/simpleitk_reader_writer): files
/// of .nii, .nii.gz, .nrrd, .mha or .mhd with ITK's geometry. The latter writes uint8 always and
/// wraps greater labels; here it falls back to uint16 and keeps them.
class SimpleItkFormat final : public ImageFormat {
 public:
  /// Axes of the image: the file's own, or turned to run to the patient's right, front and head.
  enum class Axes { kOfTheFile, kRas };
  explicit SimpleItkFormat(Axes axes) : axes_(axes) {}

  absl::StatusOr<Image> Read(const std::vector<std::string>& paths) const override;
  absl::Status Write(const LabelMap& map, const FileGrid& file,
                     const std::string& path) const override;
  absl::Span<const absl::string_view> endings() const override;

 private:
  const Axes axes_;
};

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_SIMPLEITK_FORMAT_H_
