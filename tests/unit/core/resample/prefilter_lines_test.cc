#include "core/resample/prefilter_lines.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "core/base/instruction_set.h"
#include "gtest/gtest.h"

namespace nnseg {
namespace {

// scipy's recursion written out for one padded line: all terms of the first coefficient, then
// forwards and backwards.
std::vector<double> Reference(const std::vector<double>& samples) {
  constexpr double kPole = -0.267949192431122706;
  constexpr double kGain = (1 - kPole) * (1 - 1 / kPole);
  std::vector<double> c(kSplinePadding, samples.front());
  c.insert(c.end(), samples.begin(), samples.end());
  c.insert(c.end(), kSplinePadding, samples.back());
  const std::size_t n = c.size();
  for (double& value : c) value *= kGain;
  const double pole_n = std::pow(kPole, static_cast<double>(n));
  double start = c[0] + pole_n * c[n - 1];
  double power = kPole;
  for (std::size_t i = 1; i < n; ++i) {
    start += power * (c[i] + pole_n * c[n - 1 - i]);
    power *= kPole;
  }
  c[0] = start * (kPole / (1 - pole_n * pole_n)) + c[0];
  for (std::size_t i = 1; i < n; ++i) c[i] += kPole * c[i - 1];
  c[n - 1] *= kPole / (kPole - 1);
  for (std::size_t i = n - 1; i-- > 0;) c[i] = kPole * (c[i + 1] - c[i]);
  return {c.begin() + (kSplinePadding - kSplineMargin), c.end() - (kSplinePadding - kSplineMargin)};
}

// Coefficients of `lines`, of which there are kPrefilterLanes.
std::vector<std::vector<double>> Filter(const std::vector<std::vector<double>>& lines) {
  constexpr int64_t kStride = kPrefilterLanes + 3;
  const auto count = static_cast<int64_t>(lines.front().size());
  const int64_t rows = count + 2 * kSplineMargin;
  std::vector<double> memory(static_cast<std::size_t>(rows * kStride), 1e300);
  double bound = 0;
  for (int64_t j = 0; j < kPrefilterLanes; ++j) {
    for (int64_t i = 0; i < count; ++i) {
      memory[(i + kSplineMargin) * kStride + j] = lines[j][i];
      bound = std::max(bound, std::abs(lines[j][i]));
    }
  }
  PrefilterLines(memory.data() + kSplineMargin * kStride, kStride, count, bound);
  std::vector<std::vector<double>> coefficients(kPrefilterLanes);
  for (int64_t j = 0; j < kPrefilterLanes; ++j) {
    for (int64_t i = 0; i < rows; ++i) coefficients[j].push_back(memory[i * kStride + j]);
  }
  return coefficients;
}

void ExpectReference(const std::vector<std::vector<double>>& lines) {
  for (const auto widest : {InstructionSet::kAvx2, InstructionSet::kAvx512}) {
    LimitInstructionSet(widest);
    const auto coefficients = Filter(lines);
    for (std::size_t j = 0; j < lines.size(); ++j) {
      EXPECT_EQ(coefficients[j], Reference(lines[j])) << "line " << j;
    }
  }
  LimitInstructionSet(InstructionSet::kAvx512);
}

std::vector<std::vector<double>> Noise(int64_t count) {
  std::mt19937 random(static_cast<unsigned>(count));
  std::normal_distribution<double> normal(0, 100);
  std::vector<std::vector<double>> lines(kPrefilterLanes);
  for (auto& line : lines) {
    for (int64_t i = 0; i < count; ++i) line.push_back(normal(random));
  }
  return lines;
}

TEST(PrefilterLines, EqualTheRecursionToTheBit) {
  for (const int64_t count : {1, 2, 7, 60, 300, 700}) ExpectReference(Noise(count));
}

// The first coefficient is then all that the far samples leave, however little.
TEST(PrefilterLines, SumAllTermsWhereTheFirstSamplesAreZero) {
  auto lines = Noise(120);
  for (std::size_t j = 0; j < lines.size(); ++j) {
    std::fill_n(lines[j].begin(), 3 * j, 0.0);
  }
  ExpectReference(lines);
}

TEST(PrefilterLines, SumAllTermsWhereFarSamplesAreMuchLarger) {
  auto lines = Noise(150);
  for (auto& line : lines) {
    for (int64_t i = 0; i < 90; ++i) line[i] *= 1e-40;
  }
  ExpectReference(lines);
}

TEST(PrefilterLines, LeaveZerosAsTheyAre) {
  ExpectReference(std::vector<std::vector<double>>(kPrefilterLanes, std::vector<double>(40, 0.0)));
}

}  // namespace
}  // namespace nnseg
