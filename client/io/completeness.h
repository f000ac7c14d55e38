#ifndef NNSEG_CLIENT_IO_COMPLETENESS_H_
#define NNSEG_CLIENT_IO_COMPLETENESS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace nnseg {

/// ITK 5.2 reads a truncated NIfTI or MetaImage file without an error and leaves the rest of the
/// image zero: half a scan would be segmented as if it were a whole one. These refuse such files
/// with INVALID_ARGUMENT. NRRD needs no check, ITK makes its own.

/// Unpacks the whole file, so that a damaged .nii.gz is found by its checksum as well.
absl::Status CheckNiftiIsComplete(const std::string& path);

/// `voxel_bytes` is the size of the image's voxels as stored.
absl::Status CheckMetaImageIsComplete(const std::string& path, int64_t voxel_bytes);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_COMPLETENESS_H_
