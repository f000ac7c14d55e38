#include "core/inference/probe_tile.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "absl/strings/str_format.h"
#include "core/base/check.h"

namespace nnseg {
namespace {

constexpr double kSmallestEqualPercent = 99.5;

// The first of the largest channels of a voxel; of an only channel, whether it is positive.
int64_t Winner(std::span<const float> logits, int64_t channels, int64_t voxels, int64_t voxel) {
  if (channels == 1) return logits[voxel] > 0 ? 1 : 0;
  int64_t best = 0;
  for (int64_t c = 1; c < channels; ++c) {
    if (logits[c * voxels + voxel] > logits[best * voxels + voxel]) best = c;
  }
  return best;
}

}  // namespace

std::vector<float> ProbeTile(const PatchSignature& signature) {
  const Shape3& patch = signature.patch_size;
  std::vector<float> tile;
  tile.reserve(static_cast<std::size_t>(signature.input_size()));
  std::mt19937 random(1);
  const auto from_centre = [&](int axis, int64_t i) {
    const auto size = static_cast<float>(patch[axis]);
    return patch[axis] == 1 ? 0.0F : (2.0F * static_cast<float>(i) + 1.0F - size) / size;
  };
  for (int64_t c = 0; c < signature.input_channels; ++c) {
    for (int64_t z = 0; z < patch[0]; ++z) {
      for (int64_t y = 0; y < patch[1]; ++y) {
        for (int64_t x = 0; x < patch[2]; ++x) {
          const float dz = from_centre(0, z);
          const float dy = from_centre(1, y);
          const float dx = from_centre(2, x);
          const float radius = std::sqrt(dz * dz + dy * dy + dx * dx);
          const float inside = std::clamp(4.0F * (0.7F - radius) + 0.5F, 0.0F, 1.0F);
          // Evenly spread in [0, 1): the library's own distributions differ between hosts.
          const float noise = static_cast<float>(random() >> 8) * 0x1p-24F;
          tile.push_back(2.0F * inside - 1.0F + 0.5F * noise);
        }
      }
    }
  }
  return tile;
}

bool ProbeAgreement::passes() const { return finite && equal_percent >= kSmallestEqualPercent; }

std::string ProbeAgreement::ToString() const {
  if (!finite) return "gives logits that are not finite";
  return absl::StrFormat("agrees in %.4f %% of the voxels, expected %.1f %%", equal_percent,
                         kSmallestEqualPercent);
}

ProbeAgreement CompareProbes(std::span<const float> expected, std::span<const float> logits,
                             int64_t channels) {
  NNSEG_CHECK(expected.size() == logits.size() && channels >= 1 && !logits.empty());
  const int64_t voxels = static_cast<int64_t>(logits.size()) / channels;
  ProbeAgreement agreement;
  agreement.finite =
      std::all_of(logits.begin(), logits.end(), [](float logit) { return std::isfinite(logit); });
  int64_t equal = 0;
  for (int64_t v = 0; v < voxels; ++v) {
    equal += Winner(expected, channels, voxels, v) == Winner(logits, channels, voxels, v) ? 1 : 0;
  }
  agreement.equal_percent = 100.0 * static_cast<double>(equal) / static_cast<double>(voxels);
  return agreement;
}

}  // namespace nnseg
