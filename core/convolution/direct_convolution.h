#ifndef NNSEG_CORE_CONVOLUTION_DIRECT_CONVOLUTION_H_
#define NNSEG_CORE_CONVOLUTION_DIRECT_CONVOLUTION_H_

#include <span>

#include "core/convolution/convolution_shape.h"
#include "core/convolution/packed_rows.h"

namespace nnseg {

/// A convolution as it is written, as a product of matrices: made for kernels that Winograd's
/// filtering does not take (strides, 1 x 1 x 1) and weights that fit a core's cache.
///
/// Immutable; Run is thread-safe and works on ParallelFor's threads.
class DirectConvolution {
 public:
  /// Whether the sizes suit it.
  static bool Suits(const ConvolutionShape& shape);

  /// `weights` is (output channels x input channels x kernel).
  DirectConvolution(const ConvolutionShape& shape, std::span<const float> weights,
                    ProductPrecision precision);

  /// `inputs` points to each input channel; `output` takes the output channels plus `bias` of each;
  /// all channels are dense.
  void Run(std::span<const float* const> inputs, std::span<const float> bias, float* output) const;

 private:
  // The inputs that each weight meets, for the output voxels [begin, end), at most kProductColumns.
  void Gather(std::span<const float* const> inputs, int64_t begin, int64_t end,
              float* columns) const;
  // `count` inputs of a row from column `x` on, a stride apart, zeros outside of it; null: no row.
  void GatherRow(const float* row, int64_t x, int64_t count, float* to) const;

  ConvolutionShape shape_;
  ProductPrecision precision_;
  int64_t depth_;  // weights of one output channel
  PackedRows kernels_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_CONVOLUTION_DIRECT_CONVOLUTION_H_
