#include "tests/support/volume_builders.h"

#include <cmath>
#include <numbers>
#include <random>

#include "absl/strings/str_cat.h"

namespace nnseg {
namespace {

// std::normal_distribution differs between standard libraries; Box-Muller over mt19937 does not.
class NormalSource {
 public:
  explicit NormalSource(uint32_t seed) : engine_(seed) {}

  double Next() {
    const double u = (engine_() + 1.0) / 4294967297.0;
    const double v = engine_() / 4294967296.0;
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
  }

 private:
  std::mt19937 engine_;
};

}  // namespace

Volume<float> RandomVolume(int64_t channels, const Shape3& shape, uint32_t seed) {
  Volume<float> volume = Volume<float>::Uninitialized(channels, shape);
  NormalSource source(seed);
  for (float& voxel : volume.voxels()) voxel = static_cast<float>(source.Next());
  return volume;
}

Volume<Half> RandomLogits(int64_t channels, const Shape3& shape, uint32_t seed, float sigma) {
  Volume<Half> volume = Volume<Half>::Uninitialized(channels, shape);
  NormalSource source(seed);
  for (Half& voxel : volume.voxels()) voxel = Half(static_cast<float>(sigma * source.Next()));
  return volume;
}

std::string HashOf(std::span<const std::byte> bytes) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const std::byte byte : bytes) hash = (hash ^ static_cast<uint64_t>(byte)) * 0x100000001b3U;
  return absl::StrCat(absl::Hex(hash, absl::kZeroPad16));
}

}  // namespace nnseg
