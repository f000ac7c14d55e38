#ifndef NNSEG_CORE_CONVOLUTION_CONVOLUTION_BLOCK_H_
#define NNSEG_CORE_CONVOLUTION_CONVOLUTION_BLOCK_H_

#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "core/convolution/convolution_shape.h"
#include "core/convolution/direct_convolution.h"
#include "core/convolution/winograd_convolution.h"

namespace nnseg {

/// What a block of a U-Net computes: a convolution, then, where given, instance normalisation, then
/// a leaky ReLU.
struct ConvolutionBlockSpec {
  ConvolutionShape shape;
  std::vector<float> bias;  ///< by output channel

  struct InstanceNorm {
    std::vector<float> scale;   ///< by output channel
    std::vector<float> offset;  ///< by output channel
    double epsilon = 0;
  };
  std::optional<InstanceNorm> norm;
  ProductPrecision products = ProductPrecision::kFp32;
  float negative_slope = 1;  ///< what negative values are multiplied by at the end
};

/// Such a block in fp32 on the CPU. Moments of the normalisation are summed in double.
///
/// Immutable; Run is thread-safe and works on ParallelFor's threads. Each of those keeps the memory
/// that its part took for the next run: at most a few MB.
class ConvolutionBlock {
 public:
  /// Whether there is a way for these sizes that is faster than an engine's own.
  static bool Suits(const ConvolutionShape& shape);

  /// `weights` is (output channels x input channels x kernel). REQUIRES: Suits(shape).
  ConvolutionBlock(ConvolutionBlockSpec spec, std::span<const float> weights);

  const ConvolutionShape& shape() const { return spec_.shape; }

  /// `inputs` points to each input channel, `output` takes the output channels; all are dense. The
  /// same bits at any number of threads.
  void Run(std::span<const float* const> inputs, float* output) const;

 private:
  ConvolutionBlockSpec spec_;
  std::variant<WinogradConvolution, DirectConvolution> convolution_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_CONVOLUTION_CONVOLUTION_BLOCK_H_
