#ifndef NNSEG_CORE_VOLUME_MEMORY_POOL_H_
#define NNSEG_CORE_VOLUME_MEMORY_POOL_H_

#include <cstddef>
#include <map>
#include <mutex>
#include <unordered_map>

namespace nnseg {

/// Large blocks that are taken and given back again and again, in whatever sizes: what was given
/// back stays in memory for the next taker. Blocks lie one after another in one range of
/// addresses, each in the first gap that holds it, and gaps that touch are one; so the pool keeps
/// little more than was in use at once. In huge pages where the system has some. Thread-safe.
class MemoryPool {
 public:
  /// Reserves `bytes` of addresses, which is no memory yet.
  explicit MemoryPool(std::size_t bytes);
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;
  /// REQUIRES: all blocks were given back.
  ~MemoryPool();

  /// A block of at least `bytes`, not initialised, at the begin of a page; null when no gap holds
  /// it.
  void* Take(std::size_t bytes);
  /// Gives back a block from Take. False, and nothing is done, for any other address.
  bool Give(void* block);
  /// Gives the system back the memory of all gaps.
  void Release();

 private:
  std::byte* base_ = nullptr;  // null: no addresses were to be had
  std::size_t size_ = 0;

  std::mutex mu_;
  std::map<std::size_t, std::size_t> gaps_;             // sizes by offset
  std::unordered_map<std::size_t, std::size_t> taken_;  // sizes by offset
};

}  // namespace nnseg

#endif  // NNSEG_CORE_VOLUME_MEMORY_POOL_H_
