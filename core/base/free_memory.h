#ifndef NNSEG_CORE_BASE_FREE_MEMORY_H_
#define NNSEG_CORE_BASE_FREE_MEMORY_H_

#include <functional>

namespace nnseg {

/// Gives the system back what allocators hold and nobody uses. glibc keeps freed blocks of up to
/// 32 MiB in each of its arenas; called after each load and each case, the process holds what it
/// works with. Takes milliseconds. Thread-safe.
void ReturnFreeMemory();

/// Lets ReturnFreeMemory() call `release`, too, from now on: for what keeps memory of its own.
/// `release` must be callable from any thread. Thread-safe.
void OnReturnFreeMemory(std::function<void()> release);

}  // namespace nnseg

#endif  // NNSEG_CORE_BASE_FREE_MEMORY_H_
