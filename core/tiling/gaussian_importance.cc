#include "core/tiling/gaussian_importance.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/float_environment.h"

namespace nnseg {
namespace {

// exp(-d^2 / (2 sigma^2)) around n/2 with sigma = n/8.
std::vector<double> Profile(int64_t n) {
  const int64_t centre = n / 2;
  std::vector<double> profile(n);
  for (int64_t i = 0; i < n; ++i) {
    const auto distance = static_cast<double>(i - centre);
    profile[i] = std::exp(-32.0 * distance * distance / static_cast<double>(n * n));
  }
  return profile;
}

}  // namespace

std::vector<Half> GaussianImportance(const Shape3& patch_size) {
  const ScopedSubnormals subnormals;
  const std::array<std::vector<double>, 3> profiles{Profile(patch_size[0]), Profile(patch_size[1]),
                                                    Profile(patch_size[2])};
  std::vector<Half> weights;
  weights.reserve(patch_size.voxels());
  Half smallest(10.0F);  // positive halves are ordered as their bits are
  for (const double g0 : profiles[0]) {
    for (const double g1 : profiles[1]) {
      for (const double g2 : profiles[2]) {
        // Two roundings, to float and to half, as torch converts.
        const Half weight(static_cast<float>(10.0 * (g0 * g1 * g2)));
        if (weight.bits != 0) smallest.bits = std::min(smallest.bits, weight.bits);
        weights.push_back(weight);
      }
    }
  }
  std::replace(weights.begin(), weights.end(), Half(0.0F), smallest);
  return weights;
}

std::vector<Half> UniformImportance(const Shape3& patch_size) {
  return std::vector<Half>(patch_size.voxels(), Half(1.0F));
}

}  // namespace nnseg
