#ifndef NNSEG_CORE_GEOMETRY_INDEX_H_
#define NNSEG_CORE_GEOMETRY_INDEX_H_

#include <array>
#include <compare>
#include <cstdint>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"

namespace nnseg {

/// Axis order of everything named 3 in core/: array axes, slowest first. In the reader's frame that
/// is (z, y, x); in the internal frame it is the reader's frame permuted by the plan's
/// transpose_forward.

/// A voxel's position, array order.
struct Index3 : std::array<int64_t, 3> {
  friend Index3 operator+(const Index3& a, const Index3& b) {
    return {{a[0] + b[0], a[1] + b[1], a[2] + b[2]}};
  }
  friend Index3 operator-(const Index3& a, const Index3& b) {
    return {{a[0] - b[0], a[1] - b[1], a[2] - b[2]}};
  }
};

/// The extent of an array in voxels, array order. All entries are >= 0.
struct Shape3 : std::array<int64_t, 3> {
  int64_t voxels() const { return (*this)[0] * (*this)[1] * (*this)[2]; }
  /// Distance of neighbours along each axis in a dense C-order array.
  Index3 strides() const { return {{(*this)[1] * (*this)[2], (*this)[2], 1}}; }
};

/// "90x108x90", for messages.
inline std::string ToString(const Shape3& s) { return absl::StrCat(s[0], "x", s[1], "x", s[2]); }

inline std::ostream& operator<<(std::ostream& out, const Shape3& s) { return out << ToString(s); }

}  // namespace nnseg

#endif  // NNSEG_CORE_GEOMETRY_INDEX_H_
