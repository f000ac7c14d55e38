#include "core/inference/openvino/replace_convolutions.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <openvino/openvino.hpp>
#include <openvino/opsets/opset8.hpp>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/integration/engines/example_patch.h"

namespace nnseg {
namespace {

using ov::opset8::Add;
using ov::opset8::Constant;
using ov::opset8::Convolution;
using ov::opset8::Parameter;
using ov::opset8::PRelu;

std::shared_ptr<ov::Model> Read(const std::string& file) { return ov::Core().read_model(file); }

int CountOf(const ov::Model& model, const std::string& type) {
  const auto& operations = model.get_ops();
  return static_cast<int>(std::count_if(operations.begin(), operations.end(), [&](const auto& op) {
    return op->get_type_info().name == type;
  }));
}

std::vector<float> Infer(const std::shared_ptr<ov::Model>& model, std::vector<float> input) {
  ov::InferRequest request =
      ov::Core()
          .compile_model(model, "CPU", {ov::hint::inference_precision(ov::element::f32)})
          .create_infer_request();
  request.set_input_tensor(ov::Tensor(ov::element::f32, model->input().get_shape(), input.data()));
  request.infer();
  const ov::Tensor output = request.get_output_tensor();
  return {output.data<const float>(), output.data<const float>() + output.get_size()};
}

/// The largest difference that our convolutions make to a network's output, as a part of its range.
float WorstDifference(const std::string& file, const std::vector<float>& patch,
                      ProductPrecision products) {
  const std::vector<float> expected = Infer(Read(file), patch);
  const std::shared_ptr<ov::Model> model = Read(file);
  EXPECT_GT(ReplaceConvolutions(*model, products), 0);
  const std::vector<float> output = Infer(model, patch);
  EXPECT_EQ(output.size(), expected.size());
  const auto [low, high] = std::minmax_element(expected.begin(), expected.end());
  float worst = 0;
  for (std::size_t i = 0; i < output.size(); ++i) {
    worst = std::max(worst, std::abs(output[i] - expected[i]));
  }
  return worst / (*high - *low);
}

// What the exporter writes is found: else the server would quietly be as slow as before.
TEST(ReplaceConvolutions, TakesAllButTheCoarsestOfTheExampleNetwork) {
  const std::shared_ptr<ov::Model> model = Read(ExampleFile("fold_0.xml"));
  EXPECT_EQ(CountOf(*model, "Convolution"), 11);
  EXPECT_EQ(CountOf(*model, "ConvolutionBackpropData"), 3);
  EXPECT_EQ(ReplaceConvolutions(*model, ProductPrecision::kFp32), 12);
  EXPECT_EQ(CountOf(*model, "ConvolutionBlock"), 9);
  EXPECT_EQ(CountOf(*model, "TransposedConvolution"), 3);
  EXPECT_EQ(CountOf(*model, "Convolution"), 2) << "both of the coarsest stage";
  EXPECT_EQ(CountOf(*model, "Subtract"), 2) << "with their norms";
  EXPECT_EQ(CountOf(*model, "Concat"), 0);
}

TEST(ReplaceConvolutions, LeavesTheOutputAsItWas) {
  EXPECT_LE(WorstDifference(ExampleFile("fold_0.xml"), ExamplePatch(), ProductPrecision::kFp32),
            1e-5F);
}

TEST(ReplaceConvolutions, LeavesTheOutputOfSlicesAsItWas) {
  EXPECT_LE(WorstDifference(DataFile("models/photo-2d/1/fold_0.xml"), SlicePatch(),
                            ProductPrecision::kFp32),
            1e-5F);
}

// A network in lower precision: OpenVINO's own norm, weights stored in half precision.
TEST(ReplaceConvolutions, TakesTheBlocksOfANetworkInLowerPrecision) {
  const std::shared_ptr<ov::Model> model = Read(ExampleFile("fold_0.bf16.xml"));
  EXPECT_EQ(ReplaceConvolutions(*model, ProductPrecision::kFp32), 12);
  EXPECT_EQ(CountOf(*model, "ConvolutionBlock"), 9);
  EXPECT_EQ(CountOf(*model, "MVN"), 2) << "both of the coarsest stage";
  EXPECT_LE(
      WorstDifference(ExampleFile("fold_0.bf16.xml"), ExamplePatch(), ProductPrecision::kFp32),
      1e-3F);
}

TEST(ReplaceConvolutions, RoundsFactorsToBf16) {
  if (!HasProducts(ProductPrecision::kBf16)) GTEST_SKIP() << "this processor has no avx512_bf16";
  const float worst =
      WorstDifference(ExampleFile("fold_0.bf16.xml"), ExamplePatch(), ProductPrecision::kBf16);
  EXPECT_GT(worst, 1e-4F);
  EXPECT_LE(worst, 0.05F);
}

/// A convolution of 8 channels, 16^3 voxels each, to as many.
std::shared_ptr<Convolution> MakeConvolution(std::ptrdiff_t dilation) {
  const auto input = std::make_shared<Parameter>(ov::element::f32, ov::Shape{1, 8, 16, 16, 16});
  const auto weights = Constant::create(ov::element::f32, {8, 8, 3, 3, 3}, {0.1F});
  const auto extent = static_cast<std::size_t>(dilation);
  return std::make_shared<Convolution>(
      input, weights, ov::Strides{1, 1, 1}, ov::CoordinateDiff{dilation, dilation, dilation},
      ov::CoordinateDiff{dilation, dilation, dilation}, ov::Strides{extent, extent, extent});
}

std::shared_ptr<ov::Model> ModelOf(const std::shared_ptr<Convolution>& convolution,
                                   const ov::OutputVector& results) {
  return std::make_shared<ov::Model>(
      results,
      ov::ParameterVector{ov::as_type_ptr<Parameter>(convolution->get_input_node_shared_ptr(0))});
}

TEST(ReplaceConvolutions, TakesTheActivationIn) {
  const auto convolution = MakeConvolution(1);
  const auto slope = Constant::create(ov::element::f32, {1}, {0.01F});
  const auto model = ModelOf(convolution, {std::make_shared<PRelu>(convolution, slope)});
  EXPECT_EQ(ReplaceConvolutions(*model, ProductPrecision::kFp32), 1);
  EXPECT_EQ(CountOf(*model, "PRelu"), 0);
}

TEST(ReplaceConvolutions, LeavesAValueThatIsUsedTwice) {
  const auto convolution = MakeConvolution(1);
  const auto slope = Constant::create(ov::element::f32, {1}, {0.01F});
  const auto model =
      ModelOf(convolution, {std::make_shared<PRelu>(convolution, slope), convolution});
  EXPECT_EQ(ReplaceConvolutions(*model, ProductPrecision::kFp32), 0);
  EXPECT_EQ(CountOf(*model, "Convolution"), 1);
}

TEST(ReplaceConvolutions, LeavesKernelsThatItDoesNotHave) {
  const auto convolution = MakeConvolution(2);
  const auto model = ModelOf(convolution, {convolution});
  EXPECT_EQ(ReplaceConvolutions(*model, ProductPrecision::kFp32), 0);
}

}  // namespace
}  // namespace nnseg
