#ifndef NNSEG_PROTO_WIRE_REGION_CODEC_H_
#define NNSEG_PROTO_WIRE_REGION_CODEC_H_

#include <vector>

#include "absl/status/statusor.h"
#include "core/geometry/box.h"
#include "core/geometry/geometry.h"
#include "segmentation/v1/segmentation_service.pb.h"

namespace nnseg {

/// Most regions in one header.
inline constexpr int kMaxRegions = 64;

/// The voxels (array axes) that a header's regions name in an image, as disjoint boxes: those that
/// overlap are joined. INVALID_ARGUMENT, naming the region, what was got and what was expected, for
/// too many of them, and for one that has no place, not three values for a corner, values that are
/// not finite, an end before its begin, no voxel, or a place outside of the image (physical boxes
/// need only meet it).
absl::StatusOr<std::vector<Box3>> RegionsFromProto(
    const google::protobuf::RepeatedPtrField<::segmentation::v1::Region>& regions,
    const Geometry& geometry);

}  // namespace nnseg

#endif  // NNSEG_PROTO_WIRE_REGION_CODEC_H_
