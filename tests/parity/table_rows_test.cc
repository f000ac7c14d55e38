// The parity table (docs/parity.md), row by row, on tiny networks: labels of the real pipeline
// against stock nnU-Net's.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/parity/agreement.h"
#include "tests/support/golden.h"

namespace nnseg::parity {
namespace {

// As the goldens were made.
constexpr int kTorchThreads = 1;
// torch's kernels round differently on other CPUs: where the network's own output is not nnU-Net's
// to the bit, so much of the labels may differ. Else not one voxel may.
constexpr double kVoxelsOnOtherCpu = 1e-5;
// torch's exp is its own (docs/parity.md).
constexpr double kProbabilityDifference = 1e-6;
constexpr int kRows = 26;

const std::vector<ParityCase>& Cases() {
  static const std::vector<ParityCase> cases = LoadCaseFolder(TestDataPath("parity"));
  return cases;
}

ModelStore& Models() {
  static ModelStore models(kTorchThreads);
  return models;
}

class TableRow : public testing::TestWithParam<ParityCase> {};

TEST_P(TableRow, EqualsNnunet) {
  const ParityCase& parity_case = GetParam();
  const auto model = Models().Get(parity_case);
  ASSERT_TRUE(model.ok()) << model.status();
  const auto runs = RunStages(parity_case, **model);
  ASSERT_TRUE(runs.ok()) << runs.status();
  const std::vector<StageAgreement> stages = CompareStages(parity_case, *runs);
  EXPECT_TRUE(stages.front().equal) << stages.front().name << ": " << stages.front().text;
  const bool same_network_bits =
      std::ranges::all_of(stages, [](const StageAgreement& stage) { return stage.equal; });

  const auto result = RunCase(parity_case, *model);
  ASSERT_TRUE(result.ok()) << result.status();
  const auto agreement = CompareResult(parity_case, *result);
  ASSERT_TRUE(agreement.ok()) << agreement.status();
  if (!same_network_bits) std::cout << ToString(stages) << "\n";
  const auto allowed =
      same_network_bits
          ? int64_t{0}
          : static_cast<int64_t>(std::ceil(kVoxelsOnOtherCpu * double(agreement->voxels)));
  EXPECT_LE(agreement->differing, allowed) << "of " << agreement->voxels << " voxels\n"
                                           << ToString(stages);
  EXPECT_LE(agreement->largest_probability_difference, kProbabilityDifference);
  EXPECT_TRUE(agreement->same_label_type);
}

INSTANTIATE_TEST_SUITE_P(Parity, TableRow, testing::ValuesIn(Cases()), [](const auto& info) {
  std::string name = info.param.name;
  std::ranges::replace_if(
      name, [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

TEST(TableRows, AllAreThere) {
  std::set<int> rows;
  const auto index = ReadJson(TestDataPath("parity/index.json"));
  for (const char* list : {"cases", "postprocessing", "readers"}) {
    for (const auto& entry : index.at(list)) rows.insert(entry.at("row").get<int>());
  }
  for (int row = 1; row <= kRows; ++row) EXPECT_TRUE(rows.contains(row)) << "row " << row;
}

}  // namespace
}  // namespace nnseg::parity
