#include "core/inference/openvino/convolution_ops.h"

#include <openvino/op/op.hpp>
#include <utility>
#include <vector>

namespace nnseg {
namespace {

template <typename Kernel>
constexpr const char* kTypeName = nullptr;
template <>
constexpr const char* kTypeName<ConvolutionBlock> = "ConvolutionBlock";
template <>
constexpr const char* kTypeName<TransposedConvolution> = "TransposedConvolution";

// A kernel from dense channels to dense channels; all tensors are 1 x channels x volume in fp32.
template <typename Kernel>
class KernelOp : public ov::op::Op {
 public:
  OPENVINO_OP(kTypeName<Kernel>, "nnseg");

  KernelOp(const ov::OutputVector& inputs, std::shared_ptr<const Kernel> kernel)
      : Op(inputs), kernel_(std::move(kernel)) {
    constructor_validate_and_infer_types();
  }

  void validate_and_infer_types() override {
    ov::PartialShape shape = get_input_partial_shape(0);
    shape[1] = kernel_->shape().output_channels;
    // The volume has as many axes as the input's.
    const std::size_t dimensions = shape.size() - 2;
    for (std::size_t axis = 0; axis < dimensions; ++axis) {
      shape[axis + 2] = kernel_->shape().output()[axis + 3 - dimensions];
    }
    set_output_type(0, ov::element::f32, shape);
  }

  std::shared_ptr<ov::Node> clone_with_new_inputs(const ov::OutputVector& inputs) const override {
    return std::make_shared<KernelOp>(inputs, kernel_);
  }

  bool visit_attributes(ov::AttributeVisitor&) override { return true; }
  bool has_evaluate() const override { return true; }

  bool evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const override {
    std::vector<const float*> channels;
    const int64_t voxels = kernel_->shape().input.voxels();
    for (const ov::Tensor& input : inputs) {
      const auto count = static_cast<int64_t>(input.get_shape()[1]);
      for (int64_t c = 0; c < count; ++c) {
        channels.push_back(input.data<const float>() + c * voxels);
      }
    }
    kernel_->Run(channels, outputs[0].data<float>());
    return true;
  }

 private:
  const std::shared_ptr<const Kernel> kernel_;
};

}  // namespace

std::shared_ptr<ov::Node> MakeOp(const ov::OutputVector& inputs,
                                 std::shared_ptr<const ConvolutionBlock> block) {
  return std::make_shared<KernelOp<ConvolutionBlock>>(inputs, std::move(block));
}

std::shared_ptr<ov::Node> MakeOp(const ov::OutputVector& inputs,
                                 std::shared_ptr<const TransposedConvolution> convolution) {
  return std::make_shared<KernelOp<TransposedConvolution>>(inputs, std::move(convolution));
}

}  // namespace nnseg
