#include "core/inference/openvino/replace_convolutions.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <openvino/core/model.hpp>
#include <openvino/op/add.hpp>
#include <openvino/op/avg_pool.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/divide.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/mvn.hpp>
#include <openvino/op/prelu.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <openvino/op/sqrt.hpp>
#include <openvino/op/subtract.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "core/inference/openvino/convolution_ops.h"

namespace nnseg {
namespace {

using Value = ov::Output<ov::Node>;

// The operation of type Op among the users of a value; null unless there is exactly one.
template <typename Op>
std::shared_ptr<Op> UserOf(const Value& value) {
  std::shared_ptr<Op> found;
  for (const ov::Input<ov::Node>& input : value.get_target_inputs()) {
    auto user = ov::as_type_ptr<Op>(input.get_node()->shared_from_this());
    if (user == nullptr || user == found) continue;
    if (found != nullptr) return nullptr;
    found = std::move(user);
  }
  return found;
}

bool HasOneUser(const Value& value) { return value.get_target_inputs().size() == 1; }

// The constant behind a value, which may be stored in another type than it is used in; null where
// there is none.
std::shared_ptr<ov::op::v0::Constant> ConstantOf(const Value& value) {
  std::shared_ptr<ov::Node> node = value.get_node_shared_ptr();
  if (ov::is_type<ov::op::v0::Convert>(node)) node = node->get_input_node_shared_ptr(0);
  return ov::as_type_ptr<ov::op::v0::Constant>(node);
}

// The constant that is the other operand of `op`, as one float for each of `count` channels.
std::optional<std::vector<float>> ChannelConstant(const ov::Node& op, const Value& operand,
                                                  std::size_t count) {
  const Value other = op.input_value(op.input_value(0) == operand ? 1 : 0);
  const auto constant = ConstantOf(other);
  if (constant == nullptr) return std::nullopt;
  std::vector<float> values = constant->cast_vector<float>();
  const ov::Shape shape = constant->get_shape();
  const bool by_channel =
      values.size() == count && shape.size() == operand.get_shape().size() && shape[1] == count;
  if (values.size() == 1) values.assign(count, values.front());
  if (!by_channel && ov::shape_size(shape) != 1) return std::nullopt;
  return values;
}

std::optional<float> Scalar(const Value& value) {
  const auto constant = ConstantOf(value);
  if (constant == nullptr || ov::shape_size(constant->get_shape()) != 1) return std::nullopt;
  return constant->cast_vector<float>().front();
}

// Whether a pool averages boxes of one size that fill its input: then the mean of its means is the
// mean.
bool SplitsEvenly(const ov::op::v1::AvgPool& pool) {
  const ov::Shape& kernel = pool.get_kernel();
  for (std::size_t axis = 0; axis < kernel.size(); ++axis) {
    if (pool.get_strides()[axis] != kernel[axis] || pool.get_pads_begin()[axis] != 0 ||
        pool.get_pads_end()[axis] != 0 || pool.get_input_shape(0)[axis + 2] % kernel[axis] != 0) {
      return false;
    }
  }
  return true;
}

// Whether `mean` is the mean of `value` over its spatial axes: a reduction after average pools.
bool IsSpatialMean(const Value& mean, const Value& value) {
  const auto reduce = ov::as_type_ptr<ov::op::v1::ReduceMean>(mean.get_node_shared_ptr());
  if (reduce == nullptr) return false;
  const ov::AxisSet axes = reduce->get_reduction_axes();
  if (axes.size() + 2 != value.get_shape().size() || axes.count(0) > 0 || axes.count(1) > 0) {
    return false;
  }
  Value pooled = reduce->input_value(0);
  while (pooled != value) {
    const auto pool = ov::as_type_ptr<ov::op::v1::AvgPool>(pooled.get_node_shared_ptr());
    if (pool == nullptr || !SplitsEvenly(*pool)) return false;
    pooled = pool->input_value(0);
  }
  return true;
}

// A block on its way through the model: `end` is the value that it makes.
struct Candidate {
  ConvolutionBlockSpec spec;
  std::vector<float> weights;
  ov::OutputVector inputs;
  Value end;
};

// The last three of an operation's spatial sizes, `fill` for the axes that it lacks.
template <typename Sizes>
Shape3 SpatialSizes(const Sizes& sizes, int64_t fill) {
  Shape3 shape{{fill, fill, fill}};
  const std::size_t count = std::min<std::size_t>(sizes.size(), 3);
  for (std::size_t i = 0; i < count; ++i) {
    shape[3 - count + i] = static_cast<int64_t>(sizes[sizes.size() - count + i]);
  }
  return shape;
}

Shape3 SpatialShape(const ov::Shape& shape) {
  return SpatialSizes(ov::Shape(shape.begin() + 2, shape.end()), 1);
}

// The weights of an operation on one volume of two or three axes in fp32, its padding written out;
// null for any other.
template <typename Convolution>
std::shared_ptr<ov::op::v0::Constant> WeightsOf(const Convolution& convolution) {
  auto weights = ConstantOf(convolution.input_value(1));
  if (convolution.get_auto_pad() != ov::op::PadType::EXPLICIT ||
      convolution.get_output_element_type(0) != ov::element::f32 ||
      convolution.get_input_partial_shape(0).is_dynamic()) {
    return nullptr;
  }
  const ov::Shape& input = convolution.get_input_shape(0);
  const bool is_volume = input.size() == 4 || input.size() == 5;
  return is_volume && input[0] == 1 ? weights : nullptr;
}

template <typename Sizes>
bool AllAre(const Sizes& sizes, std::ptrdiff_t value) {
  return std::all_of(sizes.begin(), sizes.end(),
                     [&](auto size) { return static_cast<std::ptrdiff_t>(size) == value; });
}

std::optional<Candidate> FromConvolution(ov::op::v1::Convolution& convolution) {
  const auto weights = WeightsOf(convolution);
  if (weights == nullptr || !AllAre(convolution.get_dilations(), 1)) return std::nullopt;
  const ov::Shape kernel = weights->get_shape();
  for (std::size_t axis = 0; axis + 2 < kernel.size(); ++axis) {
    const auto pad = static_cast<std::ptrdiff_t>(kernel[axis + 2] / 2);
    if (kernel[axis + 2] % 2 == 0 || convolution.get_pads_begin()[axis] != pad ||
        convolution.get_pads_end()[axis] != pad) {
      return std::nullopt;
    }
  }
  Candidate candidate;
  ConvolutionShape& shape = candidate.spec.shape;
  shape.output_channels = static_cast<int64_t>(kernel[0]);
  shape.input_channels = static_cast<int64_t>(kernel[1]);
  shape.input = SpatialShape(convolution.get_input_shape(0));
  shape.kernel = SpatialShape(kernel);
  shape.stride = SpatialSizes(convolution.get_strides(), 1);
  if (!ConvolutionBlock::Suits(shape)) return std::nullopt;
  candidate.spec.bias.assign(kernel[0], 0);
  candidate.weights = weights->cast_vector<float>();
  candidate.inputs = {convolution.input_value(0)};
  candidate.end = convolution.output(0);
  return candidate;
}

void TakeConcatenation(Candidate& candidate) {
  const Value input = candidate.inputs.front();
  const auto concat = ov::as_type_ptr<ov::op::v0::Concat>(input.get_node_shared_ptr());
  if (concat != nullptr && concat->get_axis() == 1) candidate.inputs = concat->input_values();
}

// Moves `end` past an addition of one number for each channel, and returns those; zeros where there
// is none.
std::vector<float> TakeBias(std::size_t channels, Value& end) {
  const auto add = UserOf<ov::op::v1::Add>(end);
  if (add != nullptr && HasOneUser(end)) {
    if (auto bias = ChannelConstant(*add, end, channels); bias.has_value()) {
      end = add->output(0);
      return *std::move(bias);
    }
  }
  return std::vector<float>(channels, 0);
}

// A value's normalisation over all spatial axes, and its epsilon.
struct Norm {
  Value end;
  float epsilon = 0;
};

// OpenVINO's own operation, where `x` has no other user.
std::optional<Norm> OpenvinoNorm(const Value& x) {
  const auto norm = UserOf<ov::op::v6::MVN>(x);
  if (norm == nullptr || !HasOneUser(x) || !norm->get_normalize_variance() ||
      norm->get_eps_mode() != ov::op::MVNEpsMode::INSIDE_SQRT) {
    return std::nullopt;
  }
  const auto axes = ConstantOf(norm->input_value(1));
  if (axes == nullptr) return std::nullopt;
  std::vector<int64_t> spatial = axes->cast_vector<int64_t>();
  std::sort(spatial.begin(), spatial.end());
  std::vector<int64_t> all(x.get_shape().size() - 2);
  std::iota(all.begin(), all.end(), 2);
  if (spatial != all) return std::nullopt;
  return Norm{norm->output(0), norm->get_eps()};
}

// (x - mean) / sqrt(variance + epsilon), as the exporter writes it.
std::optional<Norm> WrittenOutNorm(const Value& x) {
  const auto centred = UserOf<ov::op::v1::Subtract>(x);
  if (centred == nullptr) return std::nullopt;
  const Value difference = centred->output(0);
  const auto divide = UserOf<ov::op::v1::Divide>(difference);
  const auto square = UserOf<ov::op::v1::Multiply>(difference);
  if (divide == nullptr || square == nullptr || centred->input_value(0) != x ||
      !IsSpatialMean(centred->input_value(1), x) || divide->input_value(0) != difference ||
      square->input_value(0) != difference || square->input_value(1) != difference) {
    return std::nullopt;
  }
  const auto root = ov::as_type_ptr<ov::op::v0::Sqrt>(divide->get_input_node_shared_ptr(1));
  if (root == nullptr) return std::nullopt;
  const auto sum = ov::as_type_ptr<ov::op::v1::Add>(root->get_input_node_shared_ptr(0));
  if (sum == nullptr || !IsSpatialMean(sum->input_value(0), square->output(0))) {
    return std::nullopt;
  }
  const std::optional<float> epsilon = Scalar(sum->input_value(1));
  if (!epsilon.has_value()) return std::nullopt;
  // x goes into the mean, the difference into the quotient and twice into the square.
  if (x.get_target_inputs().size() != 2 || difference.get_target_inputs().size() != 3) {
    return std::nullopt;
  }
  return Norm{divide->output(0), *epsilon};
}

// Takes in a normalisation with the scale and offset after it. False where the value is used in
// another way, too.
bool TakeNorm(Candidate& candidate) {
  std::optional<Norm> found = OpenvinoNorm(candidate.end);
  if (!found.has_value()) found = WrittenOutNorm(candidate.end);
  if (!found.has_value()) return HasOneUser(candidate.end);
  const std::size_t channels = candidate.spec.bias.size();
  ConvolutionBlockSpec::InstanceNorm norm{std::vector<float>(channels, 1), {}, found->epsilon};
  candidate.end = found->end;
  const auto multiply = UserOf<ov::op::v1::Multiply>(candidate.end);
  if (multiply != nullptr && HasOneUser(candidate.end)) {
    if (auto scale = ChannelConstant(*multiply, candidate.end, channels); scale.has_value()) {
      norm.scale = *std::move(scale);
      candidate.end = multiply->output(0);
    }
  }
  norm.offset = TakeBias(channels, candidate.end);
  candidate.spec.norm = std::move(norm);
  return true;
}

void TakeActivation(Candidate& candidate) {
  const auto activation = UserOf<ov::op::v0::PRelu>(candidate.end);
  if (activation == nullptr || !HasOneUser(candidate.end)) return;
  const std::optional<float> slope = Scalar(activation->input_value(1));
  if (!slope.has_value()) return;
  candidate.spec.negative_slope = *slope;
  candidate.end = activation->output(0);
}

std::optional<Candidate> FindBlock(ov::op::v1::Convolution& convolution) {
  std::optional<Candidate> candidate = FromConvolution(convolution);
  if (!candidate.has_value()) return std::nullopt;
  TakeConcatenation(*candidate);
  candidate->spec.bias = TakeBias(candidate->spec.bias.size(), candidate->end);
  if (!TakeNorm(*candidate)) return std::nullopt;
  TakeActivation(*candidate);
  return candidate;
}

void Replace(const Value& end, const std::shared_ptr<ov::Node>& op) {
  op->set_friendly_name(end.get_node()->get_friendly_name());
  Value(end).replace(op->output(0));
}

bool ReplaceBlock(ov::op::v1::Convolution& convolution, ProductPrecision products) {
  std::optional<Candidate> found = FindBlock(convolution);
  if (!found.has_value()) return false;
  found->spec.products = products;
  auto block = std::make_shared<const ConvolutionBlock>(std::move(found->spec), found->weights);
  Replace(found->end, MakeOp(found->inputs, std::move(block)));
  return true;
}

bool ReplaceTransposed(ov::op::v1::ConvolutionBackpropData& convolution,
                       ProductPrecision products) {
  const auto weights = WeightsOf(convolution);
  if (weights == nullptr || convolution.get_input_size() != 2 ||
      !AllAre(convolution.get_dilations(), 1) || !AllAre(convolution.get_pads_begin(), 0) ||
      !AllAre(convolution.get_pads_end(), 0) || !AllAre(convolution.get_output_padding(), 0)) {
    return false;
  }
  const ov::Shape kernel = weights->get_shape();
  TransposedConvolutionShape shape;
  shape.input_channels = static_cast<int64_t>(kernel[0]);
  shape.output_channels = static_cast<int64_t>(kernel[1]);
  shape.input = SpatialShape(convolution.get_input_shape(0));
  shape.kernel = SpatialShape(kernel);
  if (shape.kernel != SpatialSizes(convolution.get_strides(), 1) ||
      !TransposedConvolution::Suits(shape)) {
    return false;
  }
  Value end = convolution.output(0);
  std::vector<float> bias = TakeBias(kernel[1], end);
  auto replacement = std::make_shared<const TransposedConvolution>(
      shape, weights->cast_vector<float>(), std::move(bias), products);
  Replace(end, MakeOp({convolution.input_value(0)}, std::move(replacement)));
  return true;
}

}  // namespace

int ReplaceConvolutions(ov::Model& model, ProductPrecision products) {
  int replaced = 0;
  for (const std::shared_ptr<ov::Node>& node : model.get_ordered_ops()) {
    if (const auto convolution = ov::as_type_ptr<ov::op::v1::Convolution>(node)) {
      replaced += ReplaceBlock(*convolution, products);
    } else if (const auto up = ov::as_type_ptr<ov::op::v1::ConvolutionBackpropData>(node)) {
      replaced += ReplaceTransposed(*up, products);
    }
  }
  if (replaced > 0) model.validate_nodes_and_infer_types();
  return replaced;
}

}  // namespace nnseg
