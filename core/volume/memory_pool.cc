#include "core/volume/memory_pool.h"

#include <algorithm>
#include <utility>

#include "core/volume/voxel_memory.h"

namespace nnseg {

void* MemoryPool::Take(std::size_t bytes) {
  {
    const std::lock_guard lock(mu_);
    const auto found = kept_.find(bytes);
    if (found != kept_.end()) {
      void* const block = found->second;
      kept_.erase(found);
      kept_bytes_ -= bytes;
      NoteInUse(block, bytes);
      return block;
    }
  }
  void* const block = AllocateVoxels(bytes);
  if (block == nullptr) return nullptr;
  const std::lock_guard lock(mu_);
  NoteInUse(block, bytes);
  return block;
}

void MemoryPool::NoteInUse(void* block, std::size_t bytes) {
  in_use_.emplace(block, bytes);
  in_use_bytes_ += bytes;
  peak_bytes_ = std::max(peak_bytes_, in_use_bytes_);
}

bool MemoryPool::Give(void* block) {
  {
    const std::lock_guard lock(mu_);
    const auto found = in_use_.find(block);
    if (found == in_use_.end()) return false;
    const std::size_t bytes = found->second;
    in_use_.erase(found);
    in_use_bytes_ -= bytes;
    if (kept_bytes_ + bytes <= peak_bytes_) {
      kept_.emplace(bytes, block);
      kept_bytes_ += bytes;
      return true;
    }
  }
  FreeVoxels()(block);
  return true;
}

void MemoryPool::Release() {
  std::multimap<std::size_t, void*> blocks;
  {
    const std::lock_guard lock(mu_);
    blocks = std::exchange(kept_, {});
    kept_bytes_ = 0;
    peak_bytes_ = in_use_bytes_;
  }
  for (const auto& [bytes, block] : blocks) FreeVoxels()(block);
}

std::size_t MemoryPool::kept_bytes() const {
  const std::lock_guard lock(mu_);
  return kept_bytes_;
}

}  // namespace nnseg
