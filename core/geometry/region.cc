#include "core/geometry/region.h"

#include <algorithm>
#include <cmath>

namespace nnseg {
namespace {

constexpr double kOnTheFace = 1e-6;  // voxels

using Matrix = std::array<double, 9>;  // row-major

Matrix Inverse(const Matrix& m) {
  const auto minor = [&](int row, int column) {
    const int r0 = (row + 1) % 3;
    const int r1 = (row + 2) % 3;
    const int c0 = (column + 1) % 3;
    const int c1 = (column + 2) % 3;
    return m[r0 * 3 + c0] * m[r1 * 3 + c1] - m[r0 * 3 + c1] * m[r1 * 3 + c0];
  };
  const double determinant = m[0] * minor(0, 0) + m[1] * minor(0, 1) + m[2] * minor(0, 2);
  Matrix inverse;
  for (int i = 0; i < 9; ++i) inverse[i] = minor(i % 3, i / 3) / determinant;
  return inverse;
}

}  // namespace

Box3 VoxelsIn(const PhysicalBox& box, const Geometry& geometry) {
  const Matrix to_axes = Inverse(geometry.direction);
  // Along the image's x, y and z: where the corners lie, in voxels from the first voxel's face.
  std::array<double, 3> least;
  std::array<double, 3> most;
  for (int corner = 0; corner < 8; ++corner) {
    std::array<double, 3> offset;
    for (int i = 0; i < 3; ++i) {
      offset[i] = ((corner >> i & 1) != 0 ? box.end_mm : box.begin_mm)[i] - geometry.origin_mm[i];
    }
    for (int i = 0; i < 3; ++i) {
      const double along = to_axes[i * 3] * offset[0] + to_axes[i * 3 + 1] * offset[1] +
                           to_axes[i * 3 + 2] * offset[2];
      const double position = along / geometry.spacing_mm[i] + 0.5;
      least[i] = corner == 0 ? position : std::min(least[i], position);
      most[i] = corner == 0 ? position : std::max(most[i], position);
    }
  }
  Box3 voxels;
  for (int i = 0; i < 3; ++i) {
    const auto size = static_cast<double>(geometry.size[i]);
    const double begin = std::floor(least[i] + kOnTheFace);
    const double end = std::max(std::ceil(most[i] - kOnTheFace), begin + 1);
    voxels.begin[2 - i] = static_cast<int64_t>(std::clamp(begin, 0.0, size));
    voxels.end[2 - i] = static_cast<int64_t>(std::clamp(end, 0.0, size));
  }
  return voxels;
}

std::vector<Box3> JoinOverlapping(std::vector<Box3> boxes) {
  for (std::size_t i = 0; i < boxes.size();) {
    const auto other =
        std::find_if(boxes.begin() + static_cast<int64_t>(i) + 1, boxes.end(),
                     [&](const Box3& box) { return !Intersection(box, boxes[i]).empty(); });
    if (other == boxes.end()) {
      ++i;
      continue;
    }
    boxes[i] = BoundingBox(boxes[i], *other);
    boxes.erase(other);
    i = 0;  // a box that has grown may overlap earlier ones
  }
  return boxes;
}

}  // namespace nnseg
