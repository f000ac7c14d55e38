#ifndef NNSEG_CORE_BASE_INSTRUCTION_SET_H_
#define NNSEG_CORE_BASE_INSTRUCTION_SET_H_

namespace nnseg {

/// Vector instructions that an inner loop may choose among at run time; the build itself needs
/// AVX2. A loop gives the same bits with each.
enum class InstructionSet { kAvx2, kAvx512 };

/// The widest set that the CPU has, unless LimitInstructionSet named a narrower one. Thread-safe.
InstructionSet UsableInstructionSet();

/// Lets UsableInstructionSet() name nothing wider than `widest`, so that a test or a measurement
/// reaches the other loops. Thread-safe.
void LimitInstructionSet(InstructionSet widest);

/// Four or eight doubles. Vectors of eight live only within functions of target avx512f.
using Double4 = double __attribute__((vector_size(32)));
using Double8 = double __attribute__((vector_size(64)));

}  // namespace nnseg

#endif  // NNSEG_CORE_BASE_INSTRUCTION_SET_H_
