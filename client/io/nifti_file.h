#ifndef NNSEG_CLIENT_IO_NIFTI_FILE_H_
#define NNSEG_CLIENT_IO_NIFTI_FILE_H_

#include <array>
#include <string>

#include "absl/status/statusor.h"
#include "client/io/axis_turn.h"
#include "core/volume/label_map.h"

namespace nnseg {

/// A 3D NIfTI file as nibabel sees it (nibabel 5.4, nifti1).
struct NiftiFile {
  std::array<int64_t, 3> size{};       ///< voxels along the file's axes i, j, k
  std::array<double, 3> spacing_mm{};  ///< the header's float32 pixdim, widened
  NiftiAffine affine{};                ///< sform, else qform, else centred on the image
  VoxelBuffer voxels;                  ///< one channel, (k, j, i); scaled ones are float32
};

/// Reads a file. Values with scl_slope or scl_inter are scaled in float64 and then rounded, 64-bit
/// integers pass through float64 as well. NOT_FOUND; INVALID_ARGUMENT when the file is damaged, is
/// not 3D (further axes of length 1 are ignored), holds colours or complex numbers, or has axes
/// that do not span the space.
absl::StatusOr<NiftiFile> ReadNifti(const std::string& path);

/// Writes labels (k, j, i) with `affine` as sform (code 2, aligned), as nibabel does for a new
/// image; packed when `path` ends in .gz. INVALID_ARGUMENT when it cannot be written.
absl::Status WriteNiftiLabels(const Volume<uint16_t>& labels, LabelType type,
                              const NiftiAffine& affine, const std::string& path);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_NIFTI_FILE_H_
