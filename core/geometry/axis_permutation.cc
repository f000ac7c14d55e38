#include "core/geometry/axis_permutation.h"

#include "absl/strings/str_join.h"

namespace nnseg {

absl::StatusOr<AxisPermutation> AxisPermutation::Create(const std::array<int, 3>& axes) {
  std::array<int, 3> seen{};
  for (const int axis : axes) {
    if (axis < 0 || axis > 2 || seen[axis]++ != 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "axis permutation is [", absl::StrJoin(axes, ", "), "], expected 0, 1 and 2 once each"));
    }
  }
  return AxisPermutation(axes);
}

AxisPermutation AxisPermutation::Inverse() const {
  AxisPermutation inverse;
  for (int i = 0; i < 3; ++i) inverse.axes_[axes_[i]] = i;
  return inverse;
}

}  // namespace nnseg
