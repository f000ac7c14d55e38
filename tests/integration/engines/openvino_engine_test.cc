#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "core/inference/openvino/network_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/engines/engine_contract.h"
#include "tests/integration/engines/example_patch.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

std::shared_ptr<NetworkLoader> MakeLoader() { return MakeOpenvinoLoader(kEngineThreads); }

INSTANTIATE_TEST_SUITE_P(
    Openvino, EngineContract,
    testing::Values(EngineUnderTest{"openvino", "fold_0.xml", MakeLoader},
                    EngineUnderTest{"openvino", "fold_0.bf16.xml", MakeLoader, "bf16"},
                    EngineUnderTest{"openvino", "fold_0.int8.xml", MakeLoader, "int8"},
                    EngineUnderTest{"openvino", "fold_0.int8_bf16.xml", MakeLoader, "int8_bf16"}));

struct LowerPrecision {
  std::string precision;
  std::string file;
};

class OpenvinoPrecision : public testing::TestWithParam<LowerPrecision> {};

// The gate that the example passed at export asks for 99.5 % on whole images. Both have 8 bits or
// fewer: their rounding shows in the logits, and stays small.
TEST_P(OpenvinoPrecision, GivesTheLabelsOfFp32ButNotItsLogits) {
  const std::shared_ptr<NetworkLoader> loader = MakeLoader();
  const auto& [precision, file] = GetParam();
  const absl::Status supported = loader->Supports(precision);
  if (!supported.ok()) GTEST_SKIP() << supported.message();
  const auto fp32 = loader->Load(ExampleFile("fold_0.xml"), kExampleSignature, "fp32");
  const auto lower = loader->Load(ExampleFile(file), kExampleSignature, precision);
  NNSEG_ASSERT_OK(fp32);
  NNSEG_ASSERT_OK(lower);
  const std::vector<float> expected = RunOnce(**fp32, ExamplePatch());
  const std::vector<float> logits = RunOnce(**lower, ExamplePatch());
  const double equal = PercentEqual(Labels(logits), Labels(expected));
  RecordProperty("percent_equal", std::to_string(equal));
  EXPECT_GE(equal, 99.5);

  const auto [low, high] = std::minmax_element(expected.begin(), expected.end());
  float worst = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    worst = std::max(worst, std::abs(logits[i] - expected[i]));
  }
  RecordProperty("largest_difference", std::to_string(worst / (*high - *low)));
  EXPECT_GT(worst, 1e-4F * (*high - *low)) << precision << ", not fp32";
  EXPECT_LE(worst, 0.1F * (*high - *low));
}

INSTANTIATE_TEST_SUITE_P(, OpenvinoPrecision,
                         testing::Values(LowerPrecision{"bf16", "fold_0.bf16.xml"},
                                         LowerPrecision{"int8", "fold_0.int8.xml"},
                                         LowerPrecision{"int8_bf16", "fold_0.int8_bf16.xml"}),
                         [](const auto& info) { return info.param.precision; });

TEST(OpenvinoEngine, AFileThatIsNotQuantisedIsNoInt8Network) {
  for (const char* precision : {"int8", "int8_bf16"}) {
    if (const absl::Status supported = MakeLoader()->Supports(precision); !supported.ok()) {
      GTEST_SKIP() << supported.message();
    }
    EXPECT_THAT(
        MakeLoader()->Load(ExampleFile("fold_0.xml"), kExampleSignature, precision),
        StatusIs(absl::StatusCode::kInvalidArgument, "fold_0.xml: the network is not quantised"));
  }
}

TEST(OpenvinoEngine, Int8WithBf16NeedsTheInstructionsOfBoth) {
  const auto supports = [](const char* precision) {
    return MakeLoader()->Supports(precision).ok();
  };
  EXPECT_EQ(supports("int8_bf16"), supports("int8") && supports("bf16"));
}

TEST(OpenvinoEngine, WhatIsNotQuantisedRunsInTheArithmeticAskedFor) {
  const std::shared_ptr<NetworkLoader> loader = MakeLoader();
  if (const absl::Status supported = loader->Supports("int8_bf16"); !supported.ok()) {
    GTEST_SKIP() << supported.message();
  }
  const std::string file = ExampleFile("fold_0.int8.xml");
  const auto fp32 = loader->Load(file, kExampleSignature, "int8");
  const auto bf16 = loader->Load(file, kExampleSignature, "int8_bf16");
  NNSEG_ASSERT_OK(fp32);
  NNSEG_ASSERT_OK(bf16);
  EXPECT_NE(RunOnce(**bf16, ExamplePatch()), RunOnce(**fp32, ExamplePatch()));
}

TEST(OpenvinoEngine, HalfPrecisionIsRefused) {
  NNSEG_EXPECT_OK(MakeLoader()->Supports("fp32"));
  EXPECT_THAT(
      MakeLoader()->Load(ExampleFile("fold_0.xml"), kExampleSignature, "fp16"),
      StatusIs(absl::StatusCode::kFailedPrecondition, "openvino has no fp16 on a processor"));
}

TEST(OpenvinoEngine, TheErrorSaysWhichShapeWasFound) {
  PatchSignature other = kExampleSignature;
  other.patch_size = {{32, 64, 64}};
  EXPECT_THAT(MakeOpenvinoLoader(1)->Load(ExampleFile("fold_0.xml"), other, "fp32"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "fold_0.xml: the network's input is f32 [1,1,64,64,64], expected f32 "
                       "[1,1,32,64,64]"));
}

TEST(OpenvinoEngine, SlicesAreAskedForInTwoDimensions) {
  PatchSignature volumes = kSliceSignature;
  volumes.patch_dimensions = 3;
  EXPECT_THAT(
      MakeOpenvinoLoader(1)->Load(DataFile("models/photo-2d/1/fold_0.xml"), volumes, "fp32"),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "fold_0.xml: the network's input is f32 [1,3,128,160], expected f32 "
               "[1,3,1,128,160]"));
}

}  // namespace
}  // namespace nnseg
