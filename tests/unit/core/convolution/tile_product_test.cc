#include "core/convolution/tile_product.h"

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "core/base/instruction_set.h"
#include "core/convolution/packed_rows.h"
#include "gtest/gtest.h"
#include "tests/unit/core/convolution/reference.h"

namespace nnseg {
namespace {

std::vector<float> Multiply(InstructionSet widest, const std::vector<float>& kernels,
                            const std::vector<float>& inputs, int64_t channels) {
  LimitInstructionSet(widest);
  const TileProduct multiply = ChooseTileProduct(ProductPrecision::kFp32);
  LimitInstructionSet(InstructionSet::kAvx512);
  std::vector<float> products(kProductRows * kProductColumns);
  multiply(kernels.data(), inputs.data(), channels, products.data());
  return products;
}

float FromBf16(uint16_t value) { return std::bit_cast<float>(static_cast<uint32_t>(value) << 16); }

TEST(TileProduct, IsTheProductOfTheMatricesWithEachInstructionSet) {
  constexpr int64_t kChannels = 37;
  const std::vector<float> kernels = Noise(kChannels * kProductRows, 1);
  const std::vector<float> inputs = Noise(kChannels * kProductColumns, 2);
  std::vector<double> expected;
  for (int64_t row = 0; row < kProductRows; ++row) {
    for (int64_t column = 0; column < kProductColumns; ++column) {
      double sum = 0;
      for (int64_t c = 0; c < kChannels; ++c) {
        sum += static_cast<double>(kernels[c * kProductRows + row]) *
               static_cast<double>(inputs[c * kProductColumns + column]);
      }
      expected.push_back(sum);
    }
  }
  const std::vector<float> narrow = Multiply(InstructionSet::kAvx2, kernels, inputs, kChannels);
  ExpectNear(narrow, expected, 1e-5);
  EXPECT_EQ(Multiply(InstructionSet::kAvx512, kernels, inputs, kChannels), narrow);
}

TEST(TileProduct, RoundsToTheNearestBf16) {
  const auto rounded = [](float value) { return FromBf16(RoundToBf16(value)); };
  EXPECT_EQ(rounded(-3), -3.0F);
  EXPECT_EQ(rounded(1 + 0x1p-7F), 1 + 0x1p-7F) << "eight significant bits";
  EXPECT_EQ(rounded(1 + 0x1p-8F), 1.0F) << "a tie goes to the even one";
  EXPECT_EQ(rounded(1 + 0x3p-8F), 1 + 0x1p-6F);
  EXPECT_EQ(rounded(1 + 0x1.01p-8F), 1 + 0x1p-7F);
  EXPECT_EQ(rounded(-1 - 0x1.01p-8F), -1 - 0x1p-7F);
  EXPECT_TRUE(std::isinf(rounded(std::numeric_limits<float>::max())));
}

// Of an odd number of channels, whose last has no partner.
TEST(TileProduct, OfBf16IsTheProductOfTheRoundedMatrices) {
  NNSEG_SKIP_WITHOUT_PRODUCTS(ProductPrecision::kBf16);
  constexpr int64_t kChannels = 37;
  const std::vector<float> kernels = Noise(kChannels * kProductRows, 1);
  std::vector<float> inputs = Noise(kChannels * kProductColumns, 2);
  PackedRows packed(ProductPrecision::kBf16, 1, kProductRows, kChannels);
  ASSERT_EQ(packed.words(), 19);
  std::vector<double> expected(kProductRows * kProductColumns);
  for (int64_t c = 0; c < kChannels; ++c) {
    for (int64_t row = 0; row < kProductRows; ++row) {
      const float kernel = kernels[c * kProductRows + row];
      packed.Set(0, row, c, kernel);
      for (int64_t column = 0; column < kProductColumns; ++column) {
        expected[row * kProductColumns + column] +=
            static_cast<double>(FromBf16(RoundToBf16(kernel))) *
            static_cast<double>(FromBf16(RoundToBf16(inputs[c * kProductColumns + column])));
      }
    }
  }
  PackColumns(ProductPrecision::kBf16, kChannels, inputs.data());
  std::vector<float> products(kProductRows * kProductColumns);
  ChooseTileProduct(ProductPrecision::kBf16)(packed.Group(0), inputs.data(), packed.words(),
                                             products.data());
  ExpectNear(products, expected, 1e-5);
}

}  // namespace
}  // namespace nnseg
