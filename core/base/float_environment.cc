#include "core/base/float_environment.h"

#include <xmmintrin.h>

namespace nnseg {
namespace {

constexpr unsigned kFlushToZero = 0x8000;
constexpr unsigned kDenormalsAreZero = 0x0040;

}  // namespace

ScopedSubnormals::ScopedSubnormals() : saved_(_mm_getcsr()) {
  _mm_setcsr(saved_ & ~(kFlushToZero | kDenormalsAreZero));
}

ScopedSubnormals::~ScopedSubnormals() { _mm_setcsr(saved_); }

bool FlushesSubnormals() { return (_mm_getcsr() & (kFlushToZero | kDenormalsAreZero)) != 0; }

}  // namespace nnseg
