#ifndef NNSEG_CORE_INFERENCE_TORCH_HOST_MEMORY_H_
#define NNSEG_CORE_INFERENCE_TORCH_HOST_MEMORY_H_

namespace nnseg {

/// From now on large tensors in the host's memory ask for huge pages (voxel_memory.h): a pass
/// allocates every layer's output anew, and small pages cost the kernel a tenth of the pass.
/// Thread-safe.
void UseHugePagesForTensors();

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TORCH_HOST_MEMORY_H_
