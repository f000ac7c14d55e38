#include "core/base/instruction_set.h"

#include "gtest/gtest.h"

namespace nnseg {
namespace {

TEST(InstructionSet, IsNeverWiderThanTheLimitOrTheCpu) {
  const InstructionSet widest = UsableInstructionSet();
  EXPECT_EQ(widest == InstructionSet::kAvx512, __builtin_cpu_supports("avx512f") != 0);
  LimitInstructionSet(InstructionSet::kAvx2);
  EXPECT_EQ(UsableInstructionSet(), InstructionSet::kAvx2);
  LimitInstructionSet(InstructionSet::kAvx512);
  EXPECT_EQ(UsableInstructionSet(), widest);
}

}  // namespace
}  // namespace nnseg
