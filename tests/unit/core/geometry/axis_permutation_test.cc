#include "core/geometry/axis_permutation.h"

#include <vector>

#include "core/geometry/index.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

TEST(AxisPermutation, PermutesAsNumpysTransposeDoes) {
  const auto permutation = AxisPermutation::Create({2, 0, 1}).value();
  EXPECT_EQ(permutation.Apply(Shape3{{10, 20, 30}}), (Shape3{{30, 10, 20}}));
}

TEST(AxisPermutation, InverseUndoesIt) {
  for (const std::array<int, 3>& axes : std::vector<std::array<int, 3>>{
           {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}) {
    const auto permutation = AxisPermutation::Create(axes).value();
    const Index3 index{{4, 5, 6}};
    EXPECT_EQ(permutation.Inverse().Apply(permutation.Apply(index)), index);
    EXPECT_EQ(permutation.Inverse().Inverse(), permutation);
    EXPECT_EQ(permutation.is_identity(), axes == (std::array<int, 3>{0, 1, 2}));
  }
}

TEST(AxisPermutation, PermutesBothCornersOfABox) {
  const auto permutation = AxisPermutation::Create({1, 2, 0}).value();
  const Box3 box{{{1, 2, 3}}, {{10, 20, 30}}};
  EXPECT_EQ(permutation.Apply(box), (Box3{{{2, 3, 1}}, {{20, 30, 10}}}));
}

TEST(AxisPermutation, NamesWhatIsNoPermutation) {
  for (const std::array<int, 3>& axes :
       std::vector<std::array<int, 3>>{{0, 0, 1}, {0, 1, 3}, {-1, 0, 1}, {2, 2, 2}}) {
    EXPECT_THAT(AxisPermutation::Create(axes),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expected 0, 1 and 2")));
  }
  EXPECT_THAT(AxisPermutation::Create({0, 1, 3}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("[0, 1, 3]")));
}

}  // namespace
}  // namespace nnseg
