#include "proto/wire/geometry_codec.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

/// Copies a repeated field of exactly N values. When it is empty and may be, `out` keeps its
/// default.
template <typename Field, typename T, std::size_t N>
absl::Status ReadTuple(const Field& field, const char* name, bool may_be_empty,
                       std::array<T, N>& out) {
  if (may_be_empty && field.empty()) return absl::OkStatus();
  if (static_cast<std::size_t>(field.size()) != N) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": got ", field.size(), " values, expected ", N));
  }
  std::copy(field.begin(), field.end(), out.begin());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Geometry> FromProto(const pb::Geometry& message) {
  Geometry geometry;
  NNSEG_RETURN_IF_ERROR(ReadTuple(message.size(), "geometry.size", false, geometry.size));
  NNSEG_RETURN_IF_ERROR(
      ReadTuple(message.spacing_mm(), "geometry.spacing_mm", false, geometry.spacing_mm));
  NNSEG_RETURN_IF_ERROR(
      ReadTuple(message.origin_mm(), "geometry.origin_mm", true, geometry.origin_mm));
  NNSEG_RETURN_IF_ERROR(
      ReadTuple(message.direction(), "geometry.direction", true, geometry.direction));
  NNSEG_RETURN_IF_ERROR(ValidateGeometry(geometry));
  return geometry;
}

absl::StatusOr<PixelType> FromProto(pb::PixelType value) {
  switch (value) {
    case pb::PIXEL_TYPE_INT8:
      return PixelType::kInt8;
    case pb::PIXEL_TYPE_UINT8:
      return PixelType::kUint8;
    case pb::PIXEL_TYPE_INT16:
      return PixelType::kInt16;
    case pb::PIXEL_TYPE_UINT16:
      return PixelType::kUint16;
    case pb::PIXEL_TYPE_INT32:
      return PixelType::kInt32;
    case pb::PIXEL_TYPE_UINT32:
      return PixelType::kUint32;
    case pb::PIXEL_TYPE_FLOAT32:
      return PixelType::kFloat32;
    case pb::PIXEL_TYPE_FLOAT64:
      return PixelType::kFloat64;
    default:
      return absl::InvalidArgumentError(absl::StrCat("pixel_type: got ", static_cast<int>(value),
                                                     ", expected one of PixelType's 1 to 8"));
  }
}

absl::StatusOr<LabelType> FromProto(pb::LabelType value) {
  if (value == pb::LABEL_TYPE_UINT8) return LabelType::kUint8;
  if (value == pb::LABEL_TYPE_UINT16) return LabelType::kUint16;
  return absl::InvalidArgumentError(
      absl::StrCat("label_type: got ", static_cast<int>(value), ", expected 1 or 2"));
}

absl::StatusOr<Box3> FromProto(const pb::Box& message, const Box3& bounds) {
  Box3 box;
  NNSEG_RETURN_IF_ERROR(ReadTuple(message.begin(), "box.begin", false, box.begin));
  NNSEG_RETURN_IF_ERROR(ReadTuple(message.end(), "box.end", false, box.end));
  for (int axis = 0; axis < 3; ++axis) {
    if (box.begin[axis] < bounds.begin[axis] || box.begin[axis] > box.end[axis] ||
        box.end[axis] > bounds.end[axis]) {
      return absl::InvalidArgumentError(absl::StrCat(
          "box: got [", box.begin[axis], ", ", box.end[axis], ") along array axis ", axis,
          ", expected within [", bounds.begin[axis], ", ", bounds.end[axis], ")"));
    }
  }
  return box;
}

pb::Geometry ToProto(const Geometry& geometry) {
  pb::Geometry message;
  message.mutable_size()->Add(geometry.size.begin(), geometry.size.end());
  message.mutable_spacing_mm()->Add(geometry.spacing_mm.begin(), geometry.spacing_mm.end());
  message.mutable_origin_mm()->Add(geometry.origin_mm.begin(), geometry.origin_mm.end());
  message.mutable_direction()->Add(geometry.direction.begin(), geometry.direction.end());
  return message;
}

pb::PixelType ToProto(PixelType type) {
  switch (type) {
    case PixelType::kInt8:
      return pb::PIXEL_TYPE_INT8;
    case PixelType::kUint8:
      return pb::PIXEL_TYPE_UINT8;
    case PixelType::kInt16:
      return pb::PIXEL_TYPE_INT16;
    case PixelType::kUint16:
      return pb::PIXEL_TYPE_UINT16;
    case PixelType::kInt32:
      return pb::PIXEL_TYPE_INT32;
    case PixelType::kUint32:
      return pb::PIXEL_TYPE_UINT32;
    case PixelType::kFloat32:
      return pb::PIXEL_TYPE_FLOAT32;
    case PixelType::kFloat64:
      break;
  }
  return pb::PIXEL_TYPE_FLOAT64;
}

pb::LabelType ToProto(LabelType type) {
  return type == LabelType::kUint8 ? pb::LABEL_TYPE_UINT8 : pb::LABEL_TYPE_UINT16;
}

pb::Box ToProto(const Box3& box) {
  pb::Box message;
  message.mutable_begin()->Add(box.begin.begin(), box.begin.end());
  message.mutable_end()->Add(box.end.begin(), box.end.end());
  return message;
}

}  // namespace nnseg
