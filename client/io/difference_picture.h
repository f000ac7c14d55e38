#ifndef NNSEG_CLIENT_IO_DIFFERENCE_PICTURE_H_
#define NNSEG_CLIENT_IO_DIFFERENCE_PICTURE_H_

#include <string>

#include "absl/status/status.h"
#include "client/io/image.h"

namespace nnseg {

/// Draws the slice with the most differing voxels, of the plane in which the maps have the fewest
/// slices: map A, map B and, in red, where they differ. INVALID_ARGUMENT when the file cannot be
/// written. REQUIRES: equal shapes.
absl::Status WriteDifference(const LabelMap& a, const LabelMap& b, const std::string& path);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_DIFFERENCE_PICTURE_H_
