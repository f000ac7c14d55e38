#include "core/base/instruction_set.h"

#include <algorithm>
#include <atomic>

namespace nnseg {
namespace {

std::atomic<InstructionSet> limit{InstructionSet::kAvx512};

}  // namespace

InstructionSet UsableInstructionSet() {
  static const InstructionSet widest =
      __builtin_cpu_supports("avx512f") ? InstructionSet::kAvx512 : InstructionSet::kAvx2;
  return std::min(widest, limit.load(std::memory_order_relaxed));
}

void LimitInstructionSet(InstructionSet widest) { limit.store(widest); }

}  // namespace nnseg
