#ifndef NNSEG_CORE_CONVOLUTION_CONVOLUTION_SHAPE_H_
#define NNSEG_CORE_CONVOLUTION_CONVOLUTION_SHAPE_H_

#include <cstdint>

#include "core/geometry/index.h"

namespace nnseg {

/// Sizes of a convolution with odd kernels, around whose input lie kernel / 2 zeros on each side.
struct ConvolutionShape {
  int64_t input_channels = 0;
  int64_t output_channels = 0;
  Shape3 input{};
  Shape3 kernel{{3, 3, 3}};
  Shape3 stride{{1, 1, 1}};

  Shape3 output() const {
    Shape3 shape;
    for (int axis = 0; axis < 3; ++axis) shape[axis] = (input[axis] - 1) / stride[axis] + 1;
    return shape;
  }
  int64_t weights() const { return output_channels * input_channels * kernel.voxels(); }
};

}  // namespace nnseg

#endif  // NNSEG_CORE_CONVOLUTION_CONVOLUTION_SHAPE_H_
