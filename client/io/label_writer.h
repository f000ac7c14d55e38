#ifndef NNSEG_CLIENT_IO_LABEL_WRITER_H_
#define NNSEG_CLIENT_IO_LABEL_WRITER_H_

#include <string>

#include "absl/status/status.h"
#include "client/io/image.h"

namespace nnseg {

/// Whether a label map could be written to `path`: its ending is one of .nii, .nii.gz, .nrrd, .mha,
/// .mhd and its folder exists. Asked before the work begins. INVALID_ARGUMENT, NOT_FOUND or
/// PERMISSION_DENIED.
absl::Status CheckLabelPath(const std::string& path);

/// Writes a compressed label file (.nii stays plain) in the map's number type. Spacing, origin and
/// direction are the map's, to the precision of the format: NIfTI keeps them in float32.
absl::Status WriteLabels(const LabelMap& map, const std::string& path);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_LABEL_WRITER_H_
