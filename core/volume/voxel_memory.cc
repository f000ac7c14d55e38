#include "core/volume/voxel_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

namespace nnseg {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kLarge = 2 * kHugePage;

}  // namespace

void* AllocateVoxels(std::size_t bytes) {
  if (bytes < kLarge) return std::malloc(std::max<std::size_t>(bytes, 1));
  void* memory = nullptr;
  if (posix_memalign(&memory, kHugePage, bytes) != 0) return nullptr;
  // Whole pages only, so that nothing is taken in that was not asked for. A wish: all works
  // without.
  (void)madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  return memory;
}

void FreeVoxels::operator()(void* memory) const { std::free(memory); }

}  // namespace nnseg
