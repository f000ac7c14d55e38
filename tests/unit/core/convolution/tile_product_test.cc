#include "core/convolution/tile_product.h"

#include <vector>

#include "core/base/instruction_set.h"
#include "gtest/gtest.h"
#include "tests/unit/core/convolution/reference.h"

namespace nnseg {
namespace {

std::vector<float> Multiply(InstructionSet widest, const std::vector<float>& kernels,
                            const std::vector<float>& inputs, int64_t channels) {
  LimitInstructionSet(widest);
  const TileProduct multiply = ChooseTileProduct();
  LimitInstructionSet(InstructionSet::kAvx512);
  std::vector<float> products(kProductRows * kProductColumns);
  multiply(kernels.data(), inputs.data(), channels, products.data());
  return products;
}

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

}  // namespace
}  // namespace nnseg
