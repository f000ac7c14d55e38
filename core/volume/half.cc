#include "core/volume/half.h"

#include "core/base/check.h"

namespace nnseg {

void ToFloat(std::span<const Half> from, std::span<float> to) {
  NNSEG_CHECK(from.size() == to.size());
  std::size_t i = 0;
  for (; i + 8 <= from.size(); i += 8) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from.data() + i));
    _mm256_storeu_ps(to.data() + i, _mm256_cvtph_ps(halves));
  }
  for (; i < from.size(); ++i) to[i] = static_cast<float>(from[i]);
}

void ToHalf(std::span<const float> from, std::span<Half> to) {
  NNSEG_CHECK(from.size() == to.size());
  std::size_t i = 0;
  for (; i + 8 <= from.size(); i += 8) {
    const __m128i halves =
        _mm256_cvtps_ph(_mm256_loadu_ps(from.data() + i), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to.data() + i), halves);
  }
  for (; i < from.size(); ++i) to[i] = Half(from[i]);
}

}  // namespace nnseg
