#ifndef NNSEG_CORE_INFERENCE_TORCH_HOST_MEMORY_H_
#define NNSEG_CORE_INFERENCE_TORCH_HOST_MEMORY_H_

namespace nnseg {

/// From now on the memory of large tensors in the host's memory is kept for the next ones until
/// ReturnFreeMemory() (memory_pool.h): a pass allocates every layer's output anew, and to fault it
/// in each time costs the kernel more than a tenth of the pass. Thread-safe.
void KeepMemoryOfTensors();

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TORCH_HOST_MEMORY_H_
