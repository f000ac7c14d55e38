#include "core/inference/device_memory.h"

#include <algorithm>

namespace nnseg {
namespace {

// Most of the memory is for the volumes of cases and for networks that are loaded later.
constexpr int64_t kShareOfBatches = 4;

}  // namespace

DeviceMemory::Share DeviceMemory::ShareOf(std::shared_ptr<DeviceMemory> memory, int64_t bytes) {
  memory->Hold(bytes);
  return {std::move(memory), bytes};
}

int64_t DeviceMemory::ReserveBatch(int64_t pass_bytes, int64_t most) {
  std::lock_guard lock(mu_);
  const int64_t room = std::max<int64_t>(0, budget_ - resident_) / kShareOfBatches;
  const int64_t passes = std::min(most, room / pass_bytes);
  passes_ = std::max(passes_, std::max<int64_t>(1, passes) * pass_bytes);
  return passes;
}

int64_t DeviceMemory::left_to_cases() const {
  std::lock_guard lock(mu_);
  return std::max<int64_t>(0, budget_ - resident_ - passes_);
}

void DeviceMemory::Hold(int64_t bytes) {
  std::lock_guard lock(mu_);
  resident_ += bytes;
}

}  // namespace nnseg
