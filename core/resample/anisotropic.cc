#include "core/resample/anisotropic.h"

#include <algorithm>
#include <cmath>

namespace nnseg {
namespace {

constexpr double kAnisotropyThreshold = 3;

bool IsAnisotropic(const Spacing3& spacing) {
  const auto [finest, coarsest] = std::minmax_element(spacing.begin(), spacing.end());
  return *coarsest / *finest > kAnisotropyThreshold;
}

// The only axis of the largest spacing, or nothing when several share it.
std::optional<int> CoarsestAxis(const Spacing3& spacing) {
  const double coarsest = *std::max_element(spacing.begin(), spacing.end());
  std::optional<int> axis;
  for (int i = 0; i < 3; ++i) {
    if (coarsest / spacing[i] != 1) continue;
    if (axis) return std::nullopt;
    axis = i;
  }
  return axis;
}

}  // namespace

Shape3 ResampledShape(const Shape3& shape, const Spacing3& current, const Spacing3& target) {
  Shape3 resampled;
  for (int i = 0; i < 3; ++i) {
    const double length = current[i] / target[i] * static_cast<double>(shape[i]);
    resampled[i] = static_cast<int64_t>(std::nearbyint(length));
  }
  return resampled;
}

std::optional<int> SeparateAxis(std::optional<bool> force, const Spacing3& current,
                                const Spacing3& target) {
  if (force) return *force ? CoarsestAxis(current) : std::nullopt;
  if (IsAnisotropic(current)) return CoarsestAxis(current);
  if (IsAnisotropic(target)) return CoarsestAxis(target);
  return std::nullopt;
}

}  // namespace nnseg
