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

}  // namespace nnseg

#endif  // NNSEG_CORE_GEOMETRY_BOX_H_
