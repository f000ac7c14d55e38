#ifndef NNSEG_CORE_VOLUME_VOXEL_MEMORY_H_
#define NNSEG_CORE_VOLUME_VOXEL_MEMORY_H_

#include <cstddef>
#include <memory>

namespace nnseg {

/// Memory for voxels, not initialised, or null when there is none. Large memory asks for huge
/// pages: to take in a volume for the first time, small page by small page, costs the kernel more
/// than most of what is done with it. To be released by FreeVoxels. Thread-safe.
void* AllocateVoxels(std::size_t bytes);

struct FreeVoxels {
  void operator()(void* memory) const;
};

/// Owns voxels of a plain number type.
template <typename T>
using VoxelMemory = std::unique_ptr<T[], FreeVoxels>;

}  // namespace nnseg

#endif  // NNSEG_CORE_VOLUME_VOXEL_MEMORY_H_
