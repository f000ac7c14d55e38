#ifndef NNSEG_TESTS_SUPPORT_VOLUME_BUILDERS_H_
#define NNSEG_TESTS_SUPPORT_VOLUME_BUILDERS_H_

#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "core/volume/half.h"
#include "core/volume/volume.h"

namespace nnseg {

/// Normally distributed voxels (mean 0, deviation 1), the same for the same seed on every host.
Volume<float> RandomVolume(int64_t channels, const Shape3& shape, uint32_t seed);

/// Normally distributed half-precision logits with deviation `sigma`.
Volume<Half> RandomLogits(int64_t channels, const Shape3& shape, uint32_t seed, float sigma = 3);

/// Voxel values 0, 1, 2, ... in C order over all channels.
template <typename T>
Volume<T> CountingVolume(int64_t channels, const Shape3& shape) {
  Volume<T> volume = Volume<T>::Uninitialized(channels, shape);
  int64_t next = 0;
  for (T& voxel : volume.voxels()) voxel = static_cast<T>(next++);
  return volume;
}

/// A deep copy, for tests that hand a volume over and still need it.
template <typename T>
Volume<T> CopyOf(const Volume<T>& volume) {
  Volume<T> copy = Volume<T>::Uninitialized(volume.channels(), volume.shape());
  std::memcpy(copy.voxels().data(), volume.voxels().data(), volume.voxels().size_bytes());
  return copy;
}

/// Elements whose bytes differ, or -1 when the sizes do.
template <typename T>
int64_t CountDifferent(std::span<const T> a, std::span<const T> b) {
  if (a.size() != b.size()) return -1;
  int64_t different = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    different += std::memcmp(&a[i], &b[i], sizeof(T)) != 0 ? 1 : 0;
  }
  return different;
}

/// FNV-1a of the bytes, as 16 hexadecimal digits: names a volume in a failure message.
std::string HashOf(std::span<const std::byte> bytes);
template <typename T>
std::string HashOf(const Volume<T>& volume) {
  return HashOf(std::as_bytes(volume.voxels()));
}

}  // namespace nnseg

#endif  // NNSEG_TESTS_SUPPORT_VOLUME_BUILDERS_H_
