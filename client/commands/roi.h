#ifndef NNSEG_CLIENT_COMMANDS_ROI_H_
#define NNSEG_CLIENT_COMMANDS_ROI_H_

#include <string>

#include "absl/status/statusor.h"
#include "segmentation/v1/segmentation_service.pb.h"

namespace nnseg {

/// "10:40,0:64,32:96", first and one past the last voxel along z, y and x. INVALID_ARGUMENT for any
/// other text.
absl::StatusOr<::segmentation::v1::Region> ParseVoxelRegion(const std::string& text);

/// "-20:15.5,0:40,100:130", from and to along x, y and z of the LPS world in millimetres.
/// INVALID_ARGUMENT for any other text.
absl::StatusOr<::segmentation::v1::Region> ParsePhysicalRegion(const std::string& text);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_COMMANDS_ROI_H_
