#ifndef NNSEG_CORE_INFERENCE_OPENVINO_CONVOLUTION_OPS_H_
#define NNSEG_CORE_INFERENCE_OPENVINO_CONVOLUTION_OPS_H_

#include <memory>
#include <vector>

#include "core/convolution/convolution_block.h"
#include "core/convolution/transposed_convolution.h"

namespace ov {
class Node;
template <typename Node>
class Output;
}  // namespace ov

namespace nnseg {

/// A kernel as a node of an OpenVINO model. Its inputs, 1 x channels x volume each in fp32, are
/// taken one after the other as the kernel's input channels: no concatenation is needed.
std::shared_ptr<ov::Node> MakeOp(const std::vector<ov::Output<ov::Node>>& inputs,
                                 std::shared_ptr<const ConvolutionBlock> block);
std::shared_ptr<ov::Node> MakeOp(const std::vector<ov::Output<ov::Node>>& inputs,
                                 std::shared_ptr<const TransposedConvolution> convolution);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_OPENVINO_CONVOLUTION_OPS_H_
