#ifndef NNSEG_CLIENT_IO_IMAGE_READER_H_
#define NNSEG_CLIENT_IO_IMAGE_READER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/io/image.h"

namespace nnseg {

/// Reads a 3D scan: one file for each channel, in the model's channel order, each of .nii, .nii.gz,
/// .nrrd, .mha or .mhd. Axes and geometry are ITK's, so array and spacing equal what nnU-Net's
/// SimpleITKIO and, for NIfTI, NibabelIO read (nnU-Net 2.8.1, imageio).
///
/// Voxels keep the number type of the file, rescaled (NIfTI's scl_slope and scl_inter) and 64-bit
/// integer ones become float32, as do all when the files' types differ.
///
/// As in nnU-Net, sizes and spacings of all files must agree; origins and directions that differ
/// give a warning. INVALID_ARGUMENT, naming the file, for what cannot be read, is not 3D or has
/// several components a voxel; NOT_FOUND when there is no such file. REQUIRES: at least one path.
absl::StatusOr<Image> ReadImage(const std::vector<std::string>& paths);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_IMAGE_READER_H_
