#ifndef NNSEG_CLIENT_IO_IMAGE_FORMAT_H_
#define NNSEG_CLIENT_IO_IMAGE_FORMAT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "client/io/image.h"

namespace nnseg {

/// One of nnU-Net's pairs of reader and writer (nnU-Net 2.8.1, imageio): the rules by which files
/// become the array that a model was trained on, and labels become a file. A model names its own
/// (GetModelResponse.image_reader_writer). Thread-safe: has no state.
class ImageFormat {
 public:
  virtual ~ImageFormat() = default;

  /// Reads one case: a file for each channel in the model's order, or files that hold several
  /// channels. Converted to float32 the voxels equal nnU-Net's array (channel, a0, a1, a2), and the
  /// geometry's spacing, (z, y, x), equals its spacing; both bit for bit. As in nnU-Net all files
  /// must agree in size and spacing, another origin or direction gives a warning. NOT_FOUND or
  /// INVALID_ARGUMENT name the file. REQUIRES: at least one path.
  virtual absl::StatusOr<Image> Read(const std::vector<std::string>& paths) const = 0;

  /// Writes labels that belong to an image read from a file with grid `file`: in that file's axes
  /// and place, compressed where the file type can, as uint8 when all are below 255, else uint16.
  virtual absl::Status Write(const LabelMap& map, const FileGrid& file,
                             const std::string& path) const = 0;

  /// Endings of the files that Write makes, lower case.
  virtual absl::Span<const absl::string_view> endings() const = 0;

  /// Whether Write could make `path`: asked before the work begins. INVALID_ARGUMENT, NOT_FOUND or
  /// PERMISSION_DENIED.
  absl::Status CheckPath(const std::string& path) const;
};

/// The format of nnU-Net's class: SimpleITKIO, SimpleITKIOWithReorient, NibabelIO,
/// NibabelIOWithReorient, NaturalImage2DIO or Tiff3DIO. INVALID_ARGUMENT for another name.
absl::StatusOr<const ImageFormat*> FindImageFormat(absl::string_view name);

/// Whether a file may be made at `path`: its folder exists and may be written. NOT_FOUND or
/// PERMISSION_DENIED.
absl::Status CheckFolderOf(const std::string& path);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_IMAGE_FORMAT_H_
