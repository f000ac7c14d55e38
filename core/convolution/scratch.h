#ifndef NNSEG_CORE_CONVOLUTION_SCRATCH_H_
#define NNSEG_CORE_CONVOLUTION_SCRATCH_H_

#include <cstdint>

#include "core/volume/voxel_memory.h"

namespace nnseg {

/// Memory for `floats` numbers, not initialised. Throws std::bad_alloc.
VoxelMemory<float> AllocateFloats(int64_t floats);

/// The calling thread's own memory for intermediate results, for at least `floats` numbers. It
/// stays with the thread for the next caller; what it holds is lost.
float* Scratch(int64_t floats);

}  // namespace nnseg

#endif  // NNSEG_CORE_CONVOLUTION_SCRATCH_H_
