#ifndef NNSEG_CORE_CONVOLUTION_TRANSPOSED_CONVOLUTION_H_
#define NNSEG_CORE_CONVOLUTION_TRANSPOSED_CONVOLUTION_H_

#include <span>
#include <vector>

#include "core/convolution/packed_rows.h"
#include "core/geometry/index.h"

namespace nnseg {

/// Sizes of a transposed convolution whose stride is its kernel: each input voxel becomes a box.
struct TransposedConvolutionShape {
  int64_t input_channels = 0;
  int64_t output_channels = 0;
  Shape3 input{};
  Shape3 kernel{};  ///< 1 or 2 along each axis

  Shape3 output() const {
    return {{input[0] * kernel[0], input[1] * kernel[1], input[2] * kernel[2]}};
  }
};

/// Such a convolution as a product of matrices, on the CPU.
///
/// Immutable; Run is thread-safe and works on ParallelFor's threads.
class TransposedConvolution {
 public:
  /// Whether the sizes suit it: the rest of a network that works on dense channels should not wait
  /// for another layout at the finer resolutions.
  static bool Suits(const TransposedConvolutionShape& shape);

  /// `weights` is (input channels x output channels x kernel), `bias` by output channel.
  TransposedConvolution(const TransposedConvolutionShape& shape, std::span<const float> weights,
                        std::vector<float> bias, ProductPrecision precision);

  const TransposedConvolutionShape& shape() const { return shape_; }

  /// `inputs` points to each input channel, `output` takes the output channels; all are dense.
  void Run(std::span<const float* const> inputs, float* output) const;

 private:
  // Spreads the products for the input voxels [begin, end) over the rows of a group.
  void Scatter(const float* products, int64_t group, int64_t begin, int64_t end,
               float* output) const;

  TransposedConvolutionShape shape_;
  ProductPrecision precision_;
  std::vector<float> bias_;
  PackedRows kernels_;  // rows are (output channel, voxel of the kernel)
};

}  // namespace nnseg

#endif  // NNSEG_CORE_CONVOLUTION_TRANSPOSED_CONVOLUTION_H_
