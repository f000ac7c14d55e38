#ifndef NNSEG_CLIENT_IO_IMAGE_READER_H_
#define NNSEG_CLIENT_IO_IMAGE_READER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/io/image.h"

namespace nnseg {

/// Reads a scan with ITK's axes and geometry, as nnU-Net's SimpleITKIO does (nnU-Net 2.8.1,
/// imageio/simpleitk_reader_writer): one file for each channel, in the model's channel order, each
/// of .nii, .nii.gz, .nrrd, .mha, .mhd, .png, .bmp, .tif or .tiff. A 2D file becomes one slice with
/// 999 times its largest spacing along z; the fourth axis of a 4D file counts channels.
///
/// Voxels keep the number type of the file; rescaled ones (NIfTI's scl_slope and scl_inter) and
/// 64-bit integers become float32, as do all when the files' types differ.
///
/// INVALID_ARGUMENT, naming the file, for what cannot be read or has several components a voxel;
/// NOT_FOUND when there is no such file. REQUIRES: at least one path.
absl::StatusOr<Image> ReadImage(const std::vector<std::string>& paths);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_IMAGE_READER_H_
