#include "core/geometry/geometry.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace nnseg {
namespace {

constexpr double kMinSpacingMm = 1e-3;
constexpr double kMaxSpacingMm = 1e6;
constexpr double kDeterminantTolerance = 1e-3;
constexpr std::array<const char*, 3> kAxisNames{"x", "y", "z"};

double Determinant(const std::array<double, 9>& m) {
  return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) +
         m[2] * (m[3] * m[7] - m[4] * m[6]);
}

}  // namespace

absl::Status ValidateGeometry(const Geometry& geometry) {
  for (int i = 0; i < 3; ++i) {
    if (geometry.size[i] < 1 || geometry.size[i] > kMaxAxisVoxels) {
      return absl::InvalidArgumentError(absl::StrCat("size along ", kAxisNames[i], " is ",
                                                     geometry.size[i], ", expected 1 to ",
                                                     kMaxAxisVoxels, " voxels"));
    }
    const double spacing = geometry.spacing_mm[i];
    if (!std::isfinite(spacing) || spacing < kMinSpacingMm || spacing > kMaxSpacingMm) {
      return absl::InvalidArgumentError(absl::StrCat("spacing along ", kAxisNames[i], " is ",
                                                     spacing, " mm, expected ", kMinSpacingMm,
                                                     " to ", kMaxSpacingMm));
    }
    if (!std::isfinite(geometry.origin_mm[i])) {
      return absl::InvalidArgumentError(absl::StrCat("origin along ", kAxisNames[i], " is ",
                                                     geometry.origin_mm[i],
                                                     ", expected a finite value"));
    }
  }
  for (const double entry : geometry.direction) {
    if (!std::isfinite(entry)) {
      return absl::InvalidArgumentError(
          "direction has a non-finite entry, expected a rotation matrix");
    }
  }
  const double determinant = Determinant(geometry.direction);
  if (std::abs(std::abs(determinant) - 1.0) > kDeterminantTolerance) {
    return absl::InvalidArgumentError(absl::StrCat("direction has determinant ", determinant,
                                                   ", expected 1 or -1 (within ",
                                                   kDeterminantTolerance, ")"));
  }
  return absl::OkStatus();
}

}  // namespace nnseg
