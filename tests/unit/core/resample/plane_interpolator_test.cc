#include "core/resample/plane_interpolator.h"

#include <random>
#include <vector>

#include "core/base/instruction_set.h"
#include "gtest/gtest.h"

namespace nnseg {
namespace {

// The definition: the sum over taps, last axis fastest, in double precision.
double Reference(const std::vector<PlaneTap<float>>& planes, const AxisOperator& axis1,
                 const AxisOperator& axis2, int64_t row, int64_t column) {
  double sum = 0;
  for (const PlaneTap<float>& plane : planes) {
    for (int i = 0; i < axis1.taps(); ++i) {
      for (int j = 0; j < axis2.taps(); ++j) {
        const double value = plane.data[axis1.indices(row)[i] * plane.row_stride +
                                        axis2.indices(column)[j] * plane.column_stride];
        sum += value * plane.weight * axis1.weights(row)[i] * axis2.weights(column)[j];
      }
    }
  }
  return sum;
}

// Number of voxels whose bits differ from the definition's.
int64_t Differences(int order1, int order2, int taps0, int64_t rows, int64_t columns,
                    bool transposed) {
  constexpr int64_t kRows = 11, kColumns = 95;  // more columns than are made at once
  std::mt19937 random(order1 * 100 + order2 * 10 + taps0);
  std::normal_distribution<float> normal(0, 100);
  const int64_t margin1 = order1 == 3 ? 4 : 0, margin2 = order2 == 3 ? 4 : 0;
  const int64_t size = (kRows + margin1) * (kColumns + margin2);
  std::vector<float> voxels(static_cast<std::size_t>(size * taps0));
  for (float& voxel : voxels) voxel = normal(random);
  std::vector<PlaneTap<float>> planes;
  for (int t = 0; t < taps0; ++t) {
    planes.push_back({voxels.data() + t * size, transposed ? 1 : kColumns + margin2,
                      transposed ? kRows + margin1 : 1, taps0 == 1 ? 1 : 0.1 + 0.3 * t});
  }
  const AxisOperator axis1 = AxisOperator::Resize(kRows, rows, order1);
  const AxisOperator axis2 = AxisOperator::Resize(kColumns, columns, order2);
  int64_t differences = 0;
  for (const auto widest : {InstructionSet::kAvx2, InstructionSet::kAvx512}) {
    LimitInstructionSet(widest);
    std::vector<double> out(static_cast<std::size_t>(rows * columns));
    PlaneInterpolator(axis1, axis2).Interpolate<float>(planes, out);
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t column = 0; column < columns; ++column) {
        differences += out[row * columns + column] != Reference(planes, axis1, axis2, row, column);
      }
    }
  }
  LimitInstructionSet(InstructionSet::kAvx512);
  return differences;
}

TEST(PlaneInterpolator, EqualsTheSumOverTapsToTheBit) {
  for (const int order1 : {0, 1, 3}) {
    for (const int order2 : {0, 1, 3}) {
      for (const int taps0 : {1, 2, 4}) {
        EXPECT_EQ(Differences(order1, order2, taps0, 17, 78, false), 0)
            << order1 << " " << order2 << " " << taps0;
      }
    }
  }
}

TEST(PlaneInterpolator, ReadsAnyStrides) { EXPECT_EQ(Differences(3, 3, 4, 17, 78, true), 0); }

TEST(PlaneInterpolator, HandlesPlanesOfAFewVoxels) {
  EXPECT_EQ(Differences(3, 3, 4, 1, 1, false), 0);
  EXPECT_EQ(Differences(1, 1, 2, 2, 3, false), 0);
}

}  // namespace
}  // namespace nnseg
