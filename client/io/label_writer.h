#ifndef NNSEG_CLIENT_IO_LABEL_WRITER_H_
#define NNSEG_CLIENT_IO_LABEL_WRITER_H_

#include <span>
#include <string>

#include "absl/status/status.h"
#include "client/io/image.h"

namespace nnseg {

/// The number type in which nnU-Net's writers store labels: uint8 while all are below 255.
LabelType StoredTypeOf(std::span<const uint16_t> labels);

/// Writes a compressed label file (.nii stays plain) in the map's number type by ITK, with 3 axes
/// or, for a map of one slice, 2. Spacing, origin and direction are the map's, to the precision of
/// the format: NIfTI keeps them in float32. INVALID_ARGUMENT when it cannot be written.
absl::Status WriteLabels(const LabelMap& map, const std::string& path, int dimensions = 3);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_LABEL_WRITER_H_
