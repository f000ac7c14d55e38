#ifndef NNSEG_CORE_BASE_FREE_MEMORY_H_
#define NNSEG_CORE_BASE_FREE_MEMORY_H_

namespace nnseg {

/// Gives the system back what the allocator holds and nobody uses. glibc keeps freed blocks of up
/// to 32 MiB in each of its arenas; called after each load and each case, the process holds what it
/// works with. Takes milliseconds. Thread-safe.
void ReturnFreeMemory();

}  // namespace nnseg

#endif  // NNSEG_CORE_BASE_FREE_MEMORY_H_
