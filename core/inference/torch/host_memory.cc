#include "core/inference/torch/host_memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>
#include <unistd.h>

#include <cstdlib>

#include "core/base/free_memory.h"
#include "core/volume/memory_pool.h"

namespace nnseg {
namespace {

constexpr std::size_t kLarge = std::size_t{1} << 20;
constexpr std::size_t kAlignment = 64;  // as torch's own allocator

MemoryPool& Pool() {
  // As much as the machine has; never destroyed, for tensors may outlive every static object.
  static auto* const pool = new MemoryPool(static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) *
                                           static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
  return *pool;
}

void Free(void* tensor) {
  c10::profiledCPUMemoryReporter().Delete(tensor);
  if (!Pool().Give(tensor)) std::free(tensor);
}

void* Allocate(std::size_t bytes) {
  if (bytes >= kLarge) {
    if (void* const block = Pool().Take(bytes); block != nullptr) return block;
  }
  return std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
}

class HostAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    void* const memory = bytes > 0 ? Allocate(bytes) : nullptr;
    TORCH_CHECK_WITH(OutOfMemoryError, memory != nullptr || bytes == 0,
                     "can't allocate memory: a tensor needs ", bytes, " bytes");
    c10::profiledCPUMemoryReporter().New(memory, bytes);
    return {memory, memory, &Free, c10::Device(c10::kCPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &Free; }

  void copy_data(void* to, const void* from, std::size_t count) const override {
    default_copy_data(to, from, count);
  }
};

}  // namespace

void KeepMemoryOfTensors() {
  [[maybe_unused]] static const bool done = [] {
    c10::SetCPUAllocator(new HostAllocator);
    OnReturnFreeMemory([] { Pool().Release(); });
    return true;
  }();
}

}  // namespace nnseg
