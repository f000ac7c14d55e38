#ifndef NNSEG_CORE_VOLUME_MEMORY_POOL_H_
#define NNSEG_CORE_VOLUME_MEMORY_POOL_H_

#include <cstddef>
#include <map>
#include <mutex>
#include <unordered_map>

namespace nnseg {

/// Large blocks (voxel_memory.h) that are taken and given back again and again in the same sizes: a
/// block that was given back is kept for the next taker of its size. What is kept never exceeds
/// what was in use at once since the last Release. Thread-safe.
class MemoryPool {
 public:
  MemoryPool() = default;
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;
  ~MemoryPool() { Release(); }

  /// A block of at least `bytes`, not initialised; null when there is no memory.
  void* Take(std::size_t bytes);
  /// Gives back a block from Take. False, and nothing is done, for any other address.
  bool Give(void* block);
  /// Frees the blocks that are kept.
  void Release();

  std::size_t kept_bytes() const;

 private:
  void NoteInUse(void* block, std::size_t bytes);  // under mu_

  mutable std::mutex mu_;
  std::unordered_map<void*, std::size_t> in_use_;  // sizes by address
  std::multimap<std::size_t, void*> kept_;
  std::size_t in_use_bytes_ = 0;
  std::size_t peak_bytes_ = 0;  // of in_use_bytes_ since the last Release
  std::size_t kept_bytes_ = 0;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_VOLUME_MEMORY_POOL_H_
