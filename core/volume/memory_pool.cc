#include "core/volume/memory_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <iterator>

namespace nnseg {
namespace {

constexpr std::size_t kPage = 4096;

}  // namespace

MemoryPool::MemoryPool(std::size_t bytes) : size_(bytes / kPage * kPage) {
  void* const range = mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) return;
  (void)madvise(range, size_, MADV_HUGEPAGE);  // a wish: all works without
  base_ = static_cast<std::byte*>(range);
  gaps_.emplace(0, size_);
}

MemoryPool::~MemoryPool() {
  if (base_ != nullptr) munmap(base_, size_);
}

void* MemoryPool::Take(std::size_t bytes) {
  if (bytes > size_) return nullptr;
  const std::size_t pages = std::max<std::size_t>((bytes + kPage - 1) / kPage, 1) * kPage;
  const std::lock_guard lock(mu_);
  const auto gap = std::find_if(gaps_.begin(), gaps_.end(),
                                [&](const auto& entry) { return entry.second >= pages; });
  if (gap == gaps_.end()) return nullptr;
  const auto [offset, size] = *gap;
  gaps_.erase(gap);
  if (size > pages) gaps_.emplace(offset + pages, size - pages);
  taken_.emplace(offset, pages);
  return base_ + offset;
}

bool MemoryPool::Give(void* block) {
  const auto* const address = static_cast<const std::byte*>(block);
  if (base_ == nullptr || address < base_ || address >= base_ + size_) return false;
  const std::lock_guard lock(mu_);
  const auto taken = taken_.find(static_cast<std::size_t>(address - base_));
  if (taken == taken_.end()) return false;
  const auto [offset, size] = *taken;
  taken_.erase(taken);
  const auto gap = gaps_.emplace(offset, size).first;
  const auto next = std::next(gap);
  if (next != gaps_.end() && offset + size == next->first) {
    gap->second += next->second;
    gaps_.erase(next);
  }
  if (gap == gaps_.begin()) return true;
  const auto previous = std::prev(gap);
  if (previous->first + previous->second == offset) {
    previous->second += gap->second;
    gaps_.erase(gap);
  }
  return true;
}

void MemoryPool::Release() {
  const std::lock_guard lock(mu_);
  for (const auto& [offset, size] : gaps_) (void)madvise(base_ + offset, size, MADV_DONTNEED);
}

}  // namespace nnseg
