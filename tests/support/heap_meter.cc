#include "tests/support/heap_meter.h"

#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

// glibc's own functions, below those that this file replaces.
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
void __libc_free(void* memory);
}

namespace {

std::atomic<int64_t> heap_bytes{0};
std::atomic<int64_t> heap_peak{0};

void* Count(void* memory) {
  const auto more = static_cast<int64_t>(malloc_usable_size(memory));  // 0 of null
  const int64_t now = heap_bytes.fetch_add(more) + more;
  int64_t peak = heap_peak.load();
  while (now > peak && !heap_peak.compare_exchange_weak(peak, now)) {
  }
  return memory;
}

void Uncount(void* memory) { heap_bytes -= static_cast<int64_t>(malloc_usable_size(memory)); }

}  // namespace

extern "C" {

void* malloc(std::size_t bytes) { return Count(__libc_malloc(bytes)); }
void* calloc(std::size_t count, std::size_t bytes) { return Count(__libc_calloc(count, bytes)); }
void* memalign(std::size_t alignment, std::size_t bytes) {
  return Count(__libc_memalign(alignment, bytes));
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) { return memalign(alignment, bytes); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  *memory = memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
  Uncount(memory);
  __libc_free(memory);
}
void* realloc(void* memory, std::size_t bytes) {
  Uncount(memory);
  void* const moved = __libc_realloc(memory, bytes);
  // What could not be moved is still there.
  Count(moved == nullptr && bytes != 0 ? memory : moved);
  return moved;
}

}  // extern "C"

namespace nnseg {

int64_t HeapBytes() { return heap_bytes; }
int64_t HeapPeak() { return heap_peak; }
void StartHeapPeak() { heap_peak = heap_bytes.load(); }

}  // namespace nnseg
