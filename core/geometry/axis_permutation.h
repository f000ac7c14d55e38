#ifndef NNSEG_CORE_GEOMETRY_AXIS_PERMUTATION_H_
#define NNSEG_CORE_GEOMETRY_AXIS_PERMUTATION_H_

#include <array>

#include "absl/status/statusor.h"
#include "core/geometry/box.h"
#include "core/geometry/index.h"

namespace nnseg {

/// The plan's transpose: internal axis i is reader axis (*this)[i] (nnU-Net's transpose_forward,
/// with numpy's meaning of transpose).
class AxisPermutation {
 public:
  /// The identity.
  AxisPermutation() = default;

  /// INVALID_ARGUMENT unless `axes` holds 0, 1 and 2 once each.
  static absl::StatusOr<AxisPermutation> Create(const std::array<int, 3>& axes);

  int operator[](int internal_axis) const { return axes_[internal_axis]; }
  bool is_identity() const { return axes_ == std::array<int, 3>{0, 1, 2}; }
  /// The permutation that undoes this one (nnU-Net's transpose_backward).
  AxisPermutation Inverse() const;

  /// Permutes anything indexed by axis: result[i] = reader[(*this)[i]].
  template <typename Triple>
  Triple Apply(const Triple& reader) const {
    Triple internal{};
    for (int i = 0; i < 3; ++i) internal[i] = reader[axes_[i]];
    return internal;
  }
  Box3 Apply(const Box3& reader) const { return {Apply(reader.begin), Apply(reader.end)}; }

  bool operator==(const AxisPermutation&) const = default;

 private:
  explicit AxisPermutation(const std::array<int, 3>& axes) : axes_(axes) {}
  std::array<int, 3> axes_{0, 1, 2};
};

}  // namespace nnseg

#endif  // NNSEG_CORE_GEOMETRY_AXIS_PERMUTATION_H_
