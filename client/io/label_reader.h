#ifndef NNSEG_CLIENT_IO_LABEL_READER_H_
#define NNSEG_CLIENT_IO_LABEL_READER_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/io/image_format.h"

namespace nnseg {

/// Reads a label file by `format`. The map's type is the smallest that holds it. What Read refuses,
/// and INVALID_ARGUMENT for several channels or values other than whole numbers of 0 to 65535.
absl::StatusOr<LabelMap> ReadLabels(const ImageFormat& format, const std::string& path);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_LABEL_READER_H_
