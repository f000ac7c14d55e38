#include "client/labelled_boxes.h"

#include <algorithm>
#include <numeric>

#include "core/base/status_macros.h"
#include "proto/wire/geometry_codec.h"

namespace nnseg {

absl::StatusOr<LabelledBoxes> LabelledBoxes::Create(const pb::ResultHeader& header,
                                                    const Shape3& shape) {
  LabelledBoxes result;
  NNSEG_ASSIGN_OR_RETURN(const Box3 whole, FromProto(header.labelled_box(), Box3::Whole(shape)));
  if (header.labelled_regions().empty()) {
    result.boxes_ = {whole};
    return result;
  }
  result.boxes_.clear();
  for (const pb::Box& region : header.labelled_regions()) {
    NNSEG_ASSIGN_OR_RETURN(const Box3 box, FromProto(region, whole));
    for (const Box3& other : result.boxes_) {
      if (!Intersection(box, other).empty()) {
        return absl::InvalidArgumentError("labelled regions overlap, expected disjoint ones");
      }
    }
    result.boxes_.push_back(box);
  }
  return result;
}

const Box3& LabelledBoxes::HolderOf(const pb::Box& chunk) const {
  const auto begins_in = [&](const Box3& box) {
    for (int axis = 0; axis < 3 && axis < chunk.begin_size(); ++axis) {
      if (chunk.begin(axis) < box.begin[axis] || chunk.begin(axis) >= box.end[axis]) return false;
    }
    return true;
  };
  const auto holder = std::find_if(boxes_.begin(), boxes_.end(), begins_in);
  return holder == boxes_.end() ? boxes_.front() : *holder;
}

int64_t LabelledBoxes::voxels() const {
  return std::accumulate(
      boxes_.begin(), boxes_.end(), int64_t{0},
      [](int64_t sum, const Box3& box) { return sum + (box.empty() ? 0 : box.shape().voxels()); });
}

}  // namespace nnseg
