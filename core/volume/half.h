#ifndef NNSEG_CORE_VOLUME_HALF_H_
#define NNSEG_CORE_VOLUME_HALF_H_

#include <immintrin.h>

#include <cstdint>
#include <span>

namespace nnseg {

/// An IEEE 754 binary16 number: storage only. Arithmetic widens to float (exact) and rounds back to
/// nearest even, subnormals kept; that is what nnU-Net's half-precision sums do on a CPU.
struct Half {
  uint16_t bits = 0;

  Half() = default;
  explicit Half(float value) : bits(static_cast<uint16_t>(_cvtss_sh(value, 0))) {}
  explicit operator float() const { return _cvtsh_ss(bits); }

  bool is_infinite() const { return (bits & 0x7FFF) == 0x7C00; }
  bool operator==(const Half&) const = default;  ///< same bits
};

static_assert(sizeof(Half) == 2);

/// Widens `from` into `to`. REQUIRES: equal sizes.
void ToFloat(std::span<const Half> from, std::span<float> to);

/// Rounds `from` into `to`. REQUIRES: equal sizes.
void ToHalf(std::span<const float> from, std::span<Half> to);

/// Rounds `from` into `to` once, not by way of float, as numpy converts. REQUIRES: equal sizes.
void ToHalf(std::span<const double> from, std::span<Half> to);

}  // namespace nnseg

#endif  // NNSEG_CORE_VOLUME_HALF_H_
