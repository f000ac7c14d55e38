// Labels of every golden case against stock nnU-Net's, with both engines and the real models.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>

#include "core/inference/openvino/network_loader.h"
#include "core/inference/torch/network_loader.h"
#include "core/model/loaded_model.h"
#include "tests/parity/parity_case.h"
#include "tests/parity/staged_run.h"

namespace nnseg::parity {
namespace {

// The goldens come from another CPU: torch's kernels differ there in last bits, so equality is not
// asked for.
constexpr double kTorchEqualVoxels = 0.99999;
constexpr double kOpenvinoEqualVoxels = 0.9999;

const LoadedModel& ModelOf(const ParityCase& parity_case) {
  static const Engines engines = [] {
    constexpr int kThreads = 2;
    auto scheduler = std::make_shared<TileScheduler>([] { SetTorchThreads(kThreads); });
    return Engines{{*MakeTorchLoader("cpu"), scheduler}, {MakeOpenvinoLoader(kThreads), scheduler}};
  }();
  static std::map<std::string, std::shared_ptr<const LoadedModel>> models;
  auto& model = models[parity_case.bundle];
  if (model == nullptr) {
    auto bundle = ReadModelBundle(parity_case.bundle);
    if (!bundle.ok()) throw std::runtime_error(std::string(bundle.status().message()));
    auto loaded = LoadedModel::Load(*std::move(bundle), engines);
    if (!loaded.ok()) throw std::runtime_error(std::string(loaded.status().message()));
    model = *loaded;
  }
  return *model;
}

class GoldenLabels : public testing::TestWithParam<ParityCase> {
 protected:
  void ExpectAgreement(const std::string& engine, double equal_voxels) {
    const ParityCase& parity_case = GetParam();
    const auto run = RunStages(parity_case, ModelOf(parity_case), engine);
    ASSERT_TRUE(run.ok()) << run.status();
    const auto agreement = CompareWithGolden(parity_case, *run);
    ASSERT_TRUE(agreement.ok()) << agreement.status();
    std::cout << parity_case.name << " with " << engine << "\n" << agreement->stages;
    EXPECT_GE(agreement->equal_fraction(), equal_voxels) << agreement->stages;
  }
};

TEST_P(GoldenLabels, EqualWithTorch) { ExpectAgreement("torch", kTorchEqualVoxels); }
TEST_P(GoldenLabels, NearlyEqualWithOpenvino) { ExpectAgreement("openvino", kOpenvinoEqualVoxels); }

INSTANTIATE_TEST_SUITE_P(Stock, GoldenLabels, testing::ValuesIn(LoadParityCases()),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           std::ranges::replace_if(
                               name, [](char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

}  // namespace
}  // namespace nnseg::parity
