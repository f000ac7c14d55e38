#ifndef NNSEG_PROTO_WIRE_GEOMETRY_CODEC_H_
#define NNSEG_PROTO_WIRE_GEOMETRY_CODEC_H_

#include "absl/status/statusor.h"
#include "core/geometry/box.h"
#include "core/geometry/geometry.h"
#include "core/volume/label_map.h"
#include "core/volume/pixel_type.h"
#include "segmentation/v1/segmentation_service.pb.h"
#include "segmentation/v1/volume.pb.h"

namespace nnseg {

namespace pb = ::segmentation::v1;

/// Messages to core types. Everything that comes from outside passes here: INVALID_ARGUMENT names
/// the field, what was got and what was expected.

/// Fills in the defaults of volume.proto and checks the result by ValidateGeometry.
absl::StatusOr<Geometry> FromProto(const pb::Geometry& message);
absl::StatusOr<PixelType> FromProto(pb::PixelType value);
absl::StatusOr<LabelType> FromProto(pb::LabelType value);
/// The box may be empty; it must lie within `bounds`.
absl::StatusOr<Box3> FromProto(const pb::Box& message, const Box3& bounds);

/// Core types to messages.
pb::Geometry ToProto(const Geometry& geometry);
pb::PixelType ToProto(PixelType type);
pb::LabelType ToProto(LabelType type);
pb::Box ToProto(const Box3& box);

}  // namespace nnseg

#endif  // NNSEG_PROTO_WIRE_GEOMETRY_CODEC_H_
