#ifndef NNSEG_CORE_BASE_PARALLEL_FOR_H_
#define NNSEG_CORE_BASE_PARALLEL_FOR_H_

#include <cstdint>
#include <functional>

namespace nnseg {

/// Calls body(begin, end) for ranges that split [0, count), on up to HostThreads() threads that the
/// process shares among all callers, and returns when all are done. Results must not depend on how
/// the range is split. The calling thread takes part; workers keep subnormals. Thread-safe; not for
/// nested use.
void ParallelFor(int64_t count, const std::function<void(int64_t begin, int64_t end)>& body);

/// Threads for the host's own voxel work: the number of usable cores unless SetHostThreads was
/// called.
int HostThreads();

/// Sets HostThreads(). Call once at start, before the first ParallelFor. REQUIRES: threads >= 1.
void SetHostThreads(int threads);

}  // namespace nnseg

#endif  // NNSEG_CORE_BASE_PARALLEL_FOR_H_
