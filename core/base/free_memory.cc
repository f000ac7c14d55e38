#include "core/base/free_memory.h"

#include <malloc.h>

#include <mutex>
#include <utility>
#include <vector>

namespace nnseg {
namespace {

struct Releases {
  std::mutex mu;
  std::vector<std::function<void()>> all;
};

Releases& Registered() {
  static auto* const releases = new Releases;  // for threads that outlive static objects
  return *releases;
}

}  // namespace

void ReturnFreeMemory() {
  {
    Releases& releases = Registered();
    const std::lock_guard lock(releases.mu);
    for (const std::function<void()>& release : releases.all) release();
  }
  malloc_trim(0);
}

void OnReturnFreeMemory(std::function<void()> release) {
  Releases& releases = Registered();
  const std::lock_guard lock(releases.mu);
  releases.all.push_back(std::move(release));
}

}  // namespace nnseg
