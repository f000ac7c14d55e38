#ifndef NNSEG_CORE_GEOMETRY_BOX_H_
#define NNSEG_CORE_GEOMETRY_BOX_H_

#include <algorithm>

#include "core/geometry/index.h"

namespace nnseg {

/// A half-open box of voxels [begin, end), array order (index.h).
struct Box3 {
  Index3 begin{};
  Index3 end{};

  static Box3 Whole(const Shape3& shape) { return {{}, {{shape[0], shape[1], shape[2]}}}; }

  Shape3 shape() const { return {{end[0] - begin[0], end[1] - begin[1], end[2] - begin[2]}}; }
  bool empty() const { return end[0] <= begin[0] || end[1] <= begin[1] || end[2] <= begin[2]; }
  bool operator==(const Box3&) const = default;
};

/// What two boxes share; empty where they do not meet.
inline Box3 Intersection(const Box3& a, const Box3& b) {
  Box3 result;
  for (int axis = 0; axis < 3; ++axis) {
    result.begin[axis] = std::max(a.begin[axis], b.begin[axis]);
    result.end[axis] = std::min(a.end[axis], b.end[axis]);
  }
  return result;
}

/// The smallest box that holds both; an empty one counts for nothing.
inline Box3 BoundingBox(const Box3& a, const Box3& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  Box3 result;
  for (int axis = 0; axis < 3; ++axis) {
    result.begin[axis] = std::min(a.begin[axis], b.begin[axis]);
    result.end[axis] = std::max(a.end[axis], b.end[axis]);
  }
  return result;
}

}  // namespace nnseg

#endif  // NNSEG_CORE_GEOMETRY_BOX_H_
