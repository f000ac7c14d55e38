#include "core/base/float_environment.h"

#include <xmmintrin.h>

#include <limits>

#include "gtest/gtest.h"

namespace nnseg {
namespace {

constexpr unsigned kFlush = 0x8040;

// At run time, in the thread's mode.
float Halve(float value) {
  volatile float operand = value;
  return operand * 0.5F;
}

TEST(ScopedSubnormals, KeepsSubnormalsAndRestoresTheMode) {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | kFlush);
  const float smallest = std::numeric_limits<float>::min();
  EXPECT_TRUE(FlushesSubnormals());
  EXPECT_EQ(Halve(smallest), 0.0F);
  {
    const ScopedSubnormals subnormals;
    EXPECT_FALSE(FlushesSubnormals());
    EXPECT_GT(Halve(smallest), 0.0F);
  }
  EXPECT_TRUE(FlushesSubnormals());
  _mm_setcsr(before);
}

TEST(ScopedSubnormals, UndoesWhatHappenedWithin) {
  const unsigned before = _mm_getcsr();
  {
    const ScopedSubnormals subnormals;
    _mm_setcsr(_mm_getcsr() | kFlush);
  }
  EXPECT_EQ(FlushesSubnormals(), (before & kFlush) != 0);
}

}  // namespace
}  // namespace nnseg
