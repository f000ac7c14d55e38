#include "core/volume/half.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace nnseg {
namespace {

Half FromBits(int bits) {
  Half half;
  half.bits = static_cast<uint16_t>(bits);
  return half;
}

bool IsNan(Half half) { return (half.bits & 0x7FFF) > 0x7C00; }

// The definition of binary16.
double ValueOf(Half half) {
  const int exponent = half.bits >> 10 & 31;
  const int fraction = half.bits & 1023;
  const double sign = (half.bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == 31) return sign * std::numeric_limits<double>::infinity();
  return sign *
         (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

TEST(Half, All65536ValuesWidenExactlyAndComeBack) {
  for (int bits = 0; bits < 65536; ++bits) {
    const Half half = FromBits(bits);
    const auto value = static_cast<float>(half);
    if (IsNan(half)) {
      EXPECT_TRUE(std::isnan(value));
      EXPECT_TRUE(IsNan(Half(value)));
      EXPECT_FALSE(half.is_infinite());
    } else {
      ASSERT_EQ(value, ValueOf(half)) << bits;
      ASSERT_EQ(Half(value).bits, bits);
      EXPECT_EQ(half.is_infinite(), std::isinf(value));
    }
  }
}

// Between each two neighbours: the middle goes to the even one, a hair to either side does not.
TEST(Half, TiesRoundToEven) {
  for (int bits = 0; bits < 0x7BFF; ++bits) {
    const auto low = static_cast<float>(FromBits(bits));
    const auto high = static_cast<float>(FromBits(bits + 1));
    const float middle = (low + high) / 2;
    const int even = bits % 2 == 0 ? bits : bits + 1;
    ASSERT_EQ(Half(middle).bits, even);
    ASSERT_EQ(Half(std::nextafter(middle, low)).bits, bits);
    ASSERT_EQ(Half(std::nextafter(middle, high)).bits, bits + 1);
    ASSERT_EQ(Half(-middle).bits, even | 0x8000);
  }
}

TEST(Half, OverflowsToInfinityFromTheMiddleOfTheNextStep) {
  EXPECT_EQ(Half(65504.0F).bits, 0x7BFF);
  EXPECT_EQ(Half(std::nextafter(65520.0F, 0.0F)).bits, 0x7BFF);
  EXPECT_TRUE(Half(65520.0F).is_infinite());
  EXPECT_TRUE(Half(-65520.0F).is_infinite());
}

TEST(ToHalf, DoublesAreRoundedOnceAndNotByWayOfFloat) {
  std::vector<double> values;
  std::vector<int> expected;
  for (int bits = 0; bits < 0x7BFF; bits += 7) {
    const double low = ValueOf(FromBits(bits));
    const double high = ValueOf(FromBits(bits + 1));
    const double middle = (low + high) / 2;
    // These differ from the middle by less than float can tell.
    for (const double value : {middle, std::nextafter(middle, low), std::nextafter(middle, high)}) {
      values.push_back(value);
      values.push_back(-value);
    }
    const int even = bits % 2 == 0 ? bits : bits + 1;
    for (const int rounded : {even, bits, bits + 1}) {
      expected.push_back(rounded);
      expected.push_back(rounded | 0x8000);
    }
  }
  std::vector<Half> halves(values.size());
  ToHalf(values, halves);
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(halves[i].bits, expected[i]) << values[i];
}

TEST(ToHalf, DoublesThatAreNotFiniteOrTinyKeepTheirMeaning) {
  const std::vector<double> values{
      std::numeric_limits<double>::infinity(),  -1e300,         1e-300, -1e-300,
      std::numeric_limits<double>::quiet_NaN(), 65519.999999999};
  std::vector<Half> halves(values.size());
  ToHalf(values, halves);
  EXPECT_EQ(halves[0].bits, 0x7C00);
  EXPECT_EQ(halves[1].bits, 0xFC00);
  EXPECT_EQ(halves[2].bits, 0x0000);
  EXPECT_EQ(halves[3].bits, 0x8000);
  EXPECT_TRUE(IsNan(halves[4]));
  EXPECT_EQ(halves[5].bits, 0x7BFF);
}

TEST(Half, ArraysConvertAsSingleValuesDo) {
  std::vector<Half> halves;
  for (int bits = 0; bits < 0x7C00; bits += 3) halves.push_back(FromBits(bits));  // odd length
  std::vector<float> floats(halves.size());
  ToFloat(halves, floats);
  for (std::size_t i = 0; i < halves.size(); ++i) {
    ASSERT_EQ(floats[i], static_cast<float>(halves[i]));
    floats[i] *= 1.0003F;
  }
  std::vector<Half> rounded(halves.size());
  ToHalf(floats, rounded);
  for (std::size_t i = 0; i < halves.size(); ++i) ASSERT_EQ(rounded[i], Half(floats[i]));
}

}  // namespace
}  // namespace nnseg
