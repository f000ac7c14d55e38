#include "client/io/axis_turn.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/check.h"

namespace nnseg {
namespace {

/// Row-major; rows are world axes, columns image axes.
using Matrix3 = std::array<double, 9>;

/// Which way the world axes of RAS run in the LPS world.
constexpr std::array<double, 3> kRasInLps{-1, -1, 1};

Matrix3 InverseTransposed(const Matrix3& m) {
  const auto minor_of = [&m](int row, int column) {
    const int r1 = (row + 1) % 3, r2 = (row + 2) % 3;
    const int c1 = (column + 1) % 3, c2 = (column + 2) % 3;
    return m[3 * r1 + c1] * m[3 * r2 + c2] - m[3 * r1 + c2] * m[3 * r2 + c1];
  };
  Matrix3 cofactors;
  for (int i = 0; i < 9; ++i) cofactors[i] = minor_of(i / 3, i % 3);
  const double det = m[0] * cofactors[0] + m[1] * cofactors[1] + m[2] * cofactors[2];
  for (double& c : cofactors) c /= det;
  return cofactors;
}

/// The orthogonal matrix nearest to a regular one: Newton's iteration for the polar decomposition.
Matrix3 NearestRotation(Matrix3 m) {
  constexpr int kMaxSteps = 64;
  for (int step = 0; step < kMaxSteps; ++step) {
    const Matrix3 other = InverseTransposed(m);
    double change = 0;
    for (int i = 0; i < 9; ++i) {
      const double next = 0.5 * (m[i] + other[i]);
      change = std::max(change, std::abs(next - m[i]));
      m[i] = next;
    }
    if (change < 4 * std::numeric_limits<double>::epsilon()) break;
  }
  return m;
}

/// Notes that image axis `column` runs along world axis `row` of RAS, `cosine` saying which way.
void Assign(AxisTurn& turn, int row, int column, double cosine) {
  turn.axis[row] = column;
  turn.reversed[row] = cosine < 0;
}

/// Copies an array of `shape` (z, y, x) into the turned order.
template <typename T>
void CopyTurned(const T* from, const Shape3& shape, const AxisTurn& turn, T* to) {
  const Index3 strides = shape.strides();
  Index3 size{};
  Index3 step{};
  int64_t first = 0;
  for (int a = 0; a < 3; ++a) {  // a counts x, y, z; arrays count z, y, x
    const int old = 2 - turn.axis[a];
    size[2 - a] = shape[old];
    step[2 - a] = turn.reversed[a] ? -strides[old] : strides[old];
    if (turn.reversed[a]) first += (shape[old] - 1) * strides[old];
  }
  for (int64_t z = 0; z < size[0]; ++z) {
    for (int64_t y = 0; y < size[1]; ++y) {
      const T* voxel = from + first + z * step[0] + y * step[1];
      for (int64_t x = 0; x < size[2]; ++x, voxel += step[2]) *to++ = *voxel;
    }
  }
}

Shape3 TurnedShape(const Shape3& shape, const AxisTurn& turn) {
  Shape3 turned{};
  for (int a = 0; a < 3; ++a) turned[2 - a] = shape[2 - turn.axis[a]];
  return turned;
}

}  // namespace

AxisTurn AxisTurn::Inverse() const {
  AxisTurn inverse;
  for (int a = 0; a < 3; ++a) {
    inverse.axis[axis[a]] = a;
    inverse.reversed[axis[a]] = reversed[a];
  }
  return inverse;
}

AxisTurn TurnToRas(const Geometry& geometry) {
  const Matrix3& direction = geometry.direction;
  AxisTurn turn;
  std::array<bool, 3> row_used{};
  std::array<bool, 3> column_used{};
  for (int step = 0; step < 3; ++step) {
    int best = -1;
    for (int i = 0; i < 9; ++i) {
      if (row_used[i / 3] || column_used[i % 3]) continue;
      // Among equals the last one: ITK takes the end of a multimap.
      if (best < 0 || std::abs(direction[i]) >= std::abs(direction[best])) best = i;
    }
    row_used[best / 3] = column_used[best % 3] = true;
    Assign(turn, best / 3, best % 3, kRasInLps[best / 3] * direction[best]);
  }
  return turn;
}

AxisTurn TurnToRas(const NiftiAffine& affine) {
  Matrix3 cosines;
  for (int column = 0; column < 3; ++column) {
    const double length = std::hypot(affine[column], affine[4 + column], affine[8 + column]);
    for (int row = 0; row < 3; ++row) cosines[3 * row + column] = affine[4 * row + column] / length;
  }
  const Matrix3 rotation = NearestRotation(cosines);
  const auto square = [&](int row, int column) {
    return rotation[3 * row + column] * rotation[3 * row + column];
  };
  std::array<int, 3> columns{0, 1, 2};
  std::stable_sort(columns.begin(), columns.end(), [&](int a, int b) {
    return std::max({square(0, a), square(1, a), square(2, a)}) >
           std::max({square(0, b), square(1, b), square(2, b)});
  });
  AxisTurn turn;
  std::array<bool, 3> row_used{};
  for (const int column : columns) {
    int best = -1;
    for (int row = 0; row < 3; ++row) {
      if (!row_used[row] && (best < 0 || square(row, column) > square(best, column))) best = row;
    }
    row_used[best] = true;
    Assign(turn, best, column, rotation[3 * best + column]);
  }
  return turn;
}

Geometry Turned(const Geometry& geometry, const AxisTurn& turn) {
  Geometry turned = geometry;
  for (int a = 0; a < 3; ++a) {
    const int old = turn.axis[a];
    const double sign = turn.reversed[a] ? -1 : 1;
    turned.size[a] = geometry.size[old];
    turned.spacing_mm[a] = geometry.spacing_mm[old];
    for (int row = 0; row < 3; ++row) {
      const double cosine = geometry.direction[3 * row + old];
      turned.direction[3 * row + a] = sign * cosine + 0.0;  // + 0.0: never -0
      if (turn.reversed[a]) {
        turned.origin_mm[row] +=
            static_cast<double>(geometry.size[old] - 1) * geometry.spacing_mm[old] * cosine;
      }
    }
  }
  return turned;
}

VoxelBuffer Turned(const VoxelBuffer& voxels, const AxisTurn& turn) {
  absl::StatusOr<VoxelBuffer> turned = VoxelBuffer::Allocate(voxels.pixel_type(), voxels.channels(),
                                                             TurnedShape(voxels.shape(), turn));
  NNSEG_CHECK(turned.ok());  // as large as one that exists
  VisitPixelType(voxels.pixel_type(), [&](auto zero) {
    using T = decltype(zero);
    const auto* from = reinterpret_cast<const T*>(voxels.bytes().data());
    auto* to = reinterpret_cast<T*>(turned->bytes().data());
    const int64_t count = voxels.shape().voxels();
    for (int64_t c = 0; c < voxels.channels(); ++c) {
      CopyTurned(from + c * count, voxels.shape(), turn, to + c * count);
    }
  });
  return *std::move(turned);
}

Volume<uint16_t> Turned(const Volume<uint16_t>& labels, const AxisTurn& turn) {
  auto turned = Volume<uint16_t>::Uninitialized(1, TurnedShape(labels.shape(), turn));
  CopyTurned(labels.voxels().data(), labels.shape(), turn, turned.voxels().data());
  return turned;
}

}  // namespace nnseg
