#ifndef NNSEG_CORE_INFERENCE_TORCH_TORCH_THREADS_H_
#define NNSEG_CORE_INFERENCE_TORCH_TORCH_THREADS_H_

#include <cstdint>
#include <functional>

namespace nnseg {

/// Calls `work(i)` for each i of [0, count), on the threads on which torch computes: the OpenMP
/// team of the calling thread. Between torch's operations those spin, and any others would have to
/// wait for their cores. `work` must not throw.
void OnTorchThreads(int64_t count, const std::function<void(int64_t)>& work);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TORCH_TORCH_THREADS_H_
