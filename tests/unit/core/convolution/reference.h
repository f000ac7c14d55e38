#ifndef NNSEG_TESTS_UNIT_CORE_CONVOLUTION_REFERENCE_H_
#define NNSEG_TESTS_UNIT_CORE_CONVOLUTION_REFERENCE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/convolution/convolution_shape.h"
#include "core/convolution/transposed_convolution.h"

namespace nnseg {

/// Seeded numbers from -1 to 1.
std::vector<float> Noise(int64_t count, unsigned seed);

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
