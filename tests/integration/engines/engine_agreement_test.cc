#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/inference/openvino/network_loader.h"
#include "core/inference/torch/network_loader.h"
#include "gtest/gtest.h"
#include "tests/integration/engines/example_patch.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

// One pass of the network in the files `fold`.pt and `fold`.xml through both engines.
void ExpectAgreement(const std::string& fold, const PatchSignature& signature,
                     const std::vector<float>& patch) {
  SetTorchThreads(kEngineThreads);
  const auto torch = (*MakeTorchLoader("cpu"))->Load(fold + ".pt", signature, "fp32");
  const auto openvino = MakeOpenvinoLoader(kEngineThreads)->Load(fold + ".xml", signature, "fp32");
  NNSEG_ASSERT_OK(torch);
  NNSEG_ASSERT_OK(openvino);
  const std::vector<float> expected = RunOnce(**torch, patch);
  const std::vector<float> logits = RunOnce(**openvino, patch);

  const std::vector<int> labels = Labels(expected, signature);
  const int kinds = 1 + *std::max_element(labels.begin(), labels.end());
  ASSERT_GT(kinds, 1) << "a patch of one label shows nothing";
  const double equal = PercentEqual(Labels(logits, signature), labels);
  testing::Test::RecordProperty("percent_equal", std::to_string(equal));
  EXPECT_GE(equal, 99.99);

  const auto [low, high] = std::minmax_element(expected.begin(), expected.end());
  float worst = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    worst = std::max(worst, std::abs(logits[i] - expected[i]));
  }
  testing::Test::RecordProperty("largest_difference", std::to_string(worst));
  EXPECT_LE(worst, 1e-4F * (*high - *low)) << "fp32, not bf16";
}

TEST(EngineAgreement, OpenvinoGivesTorchsLabels) {
  ExpectAgreement(ExampleFile("fold_0"), kExampleSignature, ExamplePatch());
}

TEST(EngineAgreement, OpenvinoGivesTorchsLabelsOfSlices) {
  ExpectAgreement(DataFile("models/photo-2d/1/fold_0"), kSliceSignature, SlicePatch());
}

}  // namespace
}  // namespace nnseg
