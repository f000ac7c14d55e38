#include "core/convolution/scratch.h"

#include <new>

namespace nnseg {

VoxelMemory<float> AllocateFloats(int64_t floats) {
  void* const memory = AllocateVoxels(static_cast<std::size_t>(floats) * sizeof(float));
  if (memory == nullptr) throw std::bad_alloc();
  return VoxelMemory<float>(static_cast<float*>(memory));
}

float* Scratch(int64_t floats) {
  thread_local VoxelMemory<float> memory;
  thread_local int64_t size = 0;
  if (size < floats) {
    memory = AllocateFloats(floats);
    size = floats;
  }
  return memory.get();
}

}  // namespace nnseg
