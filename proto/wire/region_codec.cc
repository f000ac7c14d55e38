#include "proto/wire/region_codec.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/geometry/region.h"
#include "proto/wire/geometry_codec.h"

namespace nnseg {
namespace {

absl::StatusOr<std::array<double, 3>> ReadCorner(
    const google::protobuf::RepeatedField<double>& values, const char* name) {
  const bool finite =
      std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
  if (values.size() != 3 || !finite) {
    return absl::InvalidArgumentError(absl::StrCat(
        "mm.", name, ": got [", absl::StrJoin(values, ", "), "], expected 3 finite values"));
  }
  return std::array{values[0], values[1], values[2]};
}

absl::StatusOr<Box3> FromMillimetres(const pb::PhysicalBox& message, const Geometry& geometry) {
  PhysicalBox box;
  NNSEG_ASSIGN_OR_RETURN(box.begin_mm, ReadCorner(message.begin_mm(), "begin_mm"));
  NNSEG_ASSIGN_OR_RETURN(box.end_mm, ReadCorner(message.end_mm(), "end_mm"));
  const std::string range = absl::StrCat("(", absl::StrJoin(box.begin_mm, ", "), ") to (",
                                         absl::StrJoin(box.end_mm, ", "), ") mm");
  for (int axis = 0; axis < 3; ++axis) {
    if (box.begin_mm[axis] > box.end_mm[axis]) {
      return absl::InvalidArgumentError(
          absl::StrCat("mm: got ", range, ", expected no value of begin_mm above end_mm's"));
    }
  }
  const Box3 voxels = VoxelsIn(box, geometry);
  if (voxels.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("mm: got ", range, " outside of the image, expected a box that meets it"));
  }
  return voxels;
}

absl::StatusOr<Box3> FromVoxels(const pb::Box& message, const Geometry& geometry) {
  NNSEG_ASSIGN_OR_RETURN(const Box3 box, FromProto(message, Box3::Whole(geometry.shape())));
  if (box.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("box: got ", ToString(box.shape()), " voxels, expected at least one"));
  }
  return box;
}

absl::StatusOr<Box3> FromRegion(const pb::Region& region, const Geometry& geometry) {
  switch (region.place_case()) {
    case pb::Region::kVoxels:
      return FromVoxels(region.voxels(), geometry);
    case pb::Region::kMm:
      return FromMillimetres(region.mm(), geometry);
    case pb::Region::PLACE_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("got no place, expected voxels or mm");
}

}  // namespace

absl::StatusOr<std::vector<Box3>> RegionsFromProto(
    const google::protobuf::RepeatedPtrField<pb::Region>& regions, const Geometry& geometry) {
  if (regions.size() > kMaxRegions) {
    return absl::InvalidArgumentError(
        absl::StrCat("regions: got ", regions.size(), ", expected at most ", kMaxRegions));
  }
  std::vector<Box3> boxes;
  for (const pb::Region& region : regions) {
    const absl::StatusOr<Box3> box = FromRegion(region, geometry);
    if (!box.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("regions[", boxes.size(), "]: ", box.status().message()));
    }
    boxes.push_back(*box);
  }
  return JoinOverlapping(std::move(boxes));
}

}  // namespace nnseg
