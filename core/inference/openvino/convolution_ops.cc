#include "core/inference/openvino/convolution_ops.h"

#include <openvino/op/op.hpp>
#include <utility>
#include <vector>

namespace nnseg {
namespace {

// 1 x channels x volume, the volume with as many axes as `input` has.
ov::PartialShape OutputShape(const ov::PartialShape& input, int64_t channels,
                             const Shape3& volume) {
  ov::PartialShape shape = input;
  shape[1] = channels;
  const std::size_t dimensions = input.size() - 2;
  for (std::size_t axis = 0; axis < dimensions; ++axis) {
    shape[axis + 2] = volume[axis + 3 - dimensions];
  }
  return shape;
}

class ConvolutionBlockOp : public ov::op::Op {
 public:
  OPENVINO_OP("ConvolutionBlock", "nnseg");

  ConvolutionBlockOp(const ov::OutputVector& inputs, std::shared_ptr<const ConvolutionBlock> block);

  void validate_and_infer_types() override;
  std::shared_ptr<ov::Node> clone_with_new_inputs(const ov::OutputVector& inputs) const override;
  bool visit_attributes(ov::AttributeVisitor&) override { return true; }
  bool has_evaluate() const override { return true; }
  bool evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const override;

 private:
  const std::shared_ptr<const ConvolutionBlock> block_;
};

class TransposedConvolutionOp : public ov::op::Op {
 public:
  OPENVINO_OP("TransposedConvolution", "nnseg");

  TransposedConvolutionOp(const ov::Output<ov::Node>& input,
                          std::shared_ptr<const TransposedConvolution> convolution);

  void validate_and_infer_types() override;
  std::shared_ptr<ov::Node> clone_with_new_inputs(const ov::OutputVector& inputs) const override;
  bool visit_attributes(ov::AttributeVisitor&) override { return true; }
  bool has_evaluate() const override { return true; }
  bool evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const override;

 private:
  const std::shared_ptr<const TransposedConvolution> convolution_;
};

ConvolutionBlockOp::ConvolutionBlockOp(const ov::OutputVector& inputs,
                                       std::shared_ptr<const ConvolutionBlock> block)
    : Op(inputs), block_(std::move(block)) {
  constructor_validate_and_infer_types();
}

void ConvolutionBlockOp::validate_and_infer_types() {
  const ConvolutionShape& shape = block_->spec().shape;
  set_output_type(0, ov::element::f32,
                  OutputShape(get_input_partial_shape(0), shape.output_channels, shape.output()));
}

std::shared_ptr<ov::Node> ConvolutionBlockOp::clone_with_new_inputs(
    const ov::OutputVector& inputs) const {
  return std::make_shared<ConvolutionBlockOp>(inputs, block_);
}

bool ConvolutionBlockOp::evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const {
  std::vector<const float*> channels;
  const int64_t voxels = block_->spec().shape.input.voxels();
  for (const ov::Tensor& input : inputs) {
    const auto count = static_cast<int64_t>(input.get_shape()[1]);
    for (int64_t c = 0; c < count; ++c) channels.push_back(input.data<const float>() + c * voxels);
  }
  block_->Run(channels, outputs[0].data<float>());
  return true;
}

TransposedConvolutionOp::TransposedConvolutionOp(
    const ov::Output<ov::Node>& input, std::shared_ptr<const TransposedConvolution> convolution)
    : Op({input}), convolution_(std::move(convolution)) {
  constructor_validate_and_infer_types();
}

void TransposedConvolutionOp::validate_and_infer_types() {
  const TransposedConvolutionShape& shape = convolution_->shape();
  set_output_type(0, ov::element::f32,
                  OutputShape(get_input_partial_shape(0), shape.output_channels, shape.output()));
}

std::shared_ptr<ov::Node> TransposedConvolutionOp::clone_with_new_inputs(
    const ov::OutputVector& inputs) const {
  return std::make_shared<TransposedConvolutionOp>(inputs.at(0), convolution_);
}

bool TransposedConvolutionOp::evaluate(ov::TensorVector& outputs,
                                       const ov::TensorVector& inputs) const {
  convolution_->Run(inputs[0].data<const float>(), outputs[0].data<float>());
  return true;
}

}  // namespace

std::shared_ptr<ov::Node> MakeOp(const ov::OutputVector& inputs,
                                 std::shared_ptr<const ConvolutionBlock> block) {
  return std::make_shared<ConvolutionBlockOp>(inputs, std::move(block));
}

std::shared_ptr<ov::Node> MakeOp(const ov::Output<ov::Node>& input,
                                 std::shared_ptr<const TransposedConvolution> convolution) {
  return std::make_shared<TransposedConvolutionOp>(input, std::move(convolution));
}

}  // namespace nnseg
