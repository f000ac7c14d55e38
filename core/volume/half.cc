#include "core/volume/half.h"

#include <algorithm>
#include <array>
#include <bit>

#include "core/base/check.h"

namespace nnseg {
namespace {

// `value` rounded to odd in float's precision: the bits that float has no room for are dropped and
// the last one kept is set if any was 1, so that rounding to half sees on which side of a tie
// `value` lies.
float RoundToOdd(double value) {
  constexpr uint64_t kLastKept = uint64_t{1} << 29;
  constexpr uint64_t kDropped = kLastKept - 1;
  const auto bits = std::bit_cast<uint64_t>(value);
  const uint64_t sticky = ((bits & kDropped) + kDropped) & kLastKept;
  return static_cast<float>(std::bit_cast<double>((bits & ~kDropped) | sticky));
}

}  // namespace

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

void ToHalf(std::span<const double> from, std::span<Half> to) {
  NNSEG_CHECK(from.size() == to.size());
  std::array<float, 64> odd;
  for (std::size_t begin = 0; begin < from.size(); begin += odd.size()) {
    const std::size_t count = std::min(odd.size(), from.size() - begin);
    for (std::size_t i = 0; i < count; ++i) odd[i] = RoundToOdd(from[begin + i]);
    ToHalf(std::span<const float>(odd).first(count), to.subspan(begin, count));
  }
}

}  // namespace nnseg
