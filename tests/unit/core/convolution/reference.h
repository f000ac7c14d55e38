#ifndef NNSEG_TESTS_UNIT_CORE_CONVOLUTION_REFERENCE_H_
#define NNSEG_TESTS_UNIT_CORE_CONVOLUTION_REFERENCE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/convolution/convolution_shape.h"
#include "core/convolution/tile_product.h"
#include "core/convolution/transposed_convolution.h"
#include "gtest/gtest.h"

namespace nnseg {

/// Seeded numbers from -1 to 1.
std::vector<float> Noise(int64_t count, unsigned seed);

/// A precision of products as a parameter of tests, which end as skipped where there are none.
inline const auto kProductPrecisions =
    testing::Values(ProductPrecision::kFp32, ProductPrecision::kBf16);
std::string NameOf(ProductPrecision precision);
#define NNSEG_SKIP_WITHOUT_PRODUCTS(precision)                    \
  if (!nnseg::HasProducts(precision)) {                           \
    GTEST_SKIP() << "this processor has no avx512_bf16 products"; \
  }

/// Input and weights of a convolution: noise, for products in bf16 small integers, of which all
/// factors are exact even where Winograd's transform has made them.
struct Factors {
  std::vector<float> input;
  std::vector<float> weights;
};
Factors MakeFactors(ProductPrecision precision, int64_t inputs, int64_t weights);

/// Pointers to the channels of dense data.
std::vector<const float*> ChannelsOf(std::span<const float> data, int64_t channels);

/// The sums as they are written, in double.
std::vector<double> ReferenceConvolution(const ConvolutionShape& shape,
                                         std::span<const float> input,
                                         std::span<const float> weights,
                                         std::span<const float> bias);
std::vector<double> ReferenceTransposed(const TransposedConvolutionShape& shape,
                                        std::span<const float> input,
                                        std::span<const float> weights,
                                        std::span<const float> bias);

/// Expects each value within `tolerance` of the reference.
void ExpectNear(std::span<const float> values, std::span<const double> expected, double tolerance);

}  // namespace nnseg

#endif  // NNSEG_TESTS_UNIT_CORE_CONVOLUTION_REFERENCE_H_
