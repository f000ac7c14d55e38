#include "core/resample/spline_prefilter.h"

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"

namespace nnseg {
namespace {

Volume<float> Line(std::initializer_list<float> values) {
  auto line = Volume<float>::Uninitialized(1, {{1, 1, static_cast<int64_t>(values.size())}});
  std::copy(values.begin(), values.end(), line.voxels().begin());
  return line;
}

TEST(SplineCoefficients, EqualScipysForALineWithEdgesRepeated) {
  const Volume<float> line = Line({0, 10, 20, 10});
  const Volume<double> coefficients = SplineCoefficients(ViewOf(line, 0), {false, false, true});
  ASSERT_EQ(coefficients.shape(), (Shape3{{1, 1, 8}}));
  // spline_filter1d(numpy.pad(line, 12, mode="edge"), 3, mode="nearest")[10:18]
  const std::vector<double> expected = {
      -0.17351107447710723, 0.6475521456250178, -2.4166975080229642, 9.01923788646684,
      26.33974596215561,    5.621778264910728,  11.173140978201486,  9.685657822283341};
  for (int64_t i = 0; i < 8; ++i) EXPECT_EQ(coefficients.voxels()[i], expected[i]) << i;
}

TEST(SplineCoefficients, AreTheValueItselfWhereTheImageIsConstant) {
  const auto image = Volume<float>::Filled(1, {{2, 1, 3}}, 7);
  const Volume<double> coefficients = SplineCoefficients(ViewOf(image, 0), {true, true, true});
  ASSERT_EQ(coefficients.shape(), (Shape3{{6, 5, 7}}));
  for (const double value : coefficients.voxels()) EXPECT_NEAR(value, 7, 1e-12);
}

TEST(SplineCoefficients, OfAPermutedViewAreThoseOfItsCopy) {
  auto image = Volume<float>::Uninitialized(1, {{3, 20, 5}});
  for (int64_t i = 0; i < image.size(); ++i) image.voxels()[i] = static_cast<float>(i * i % 97);
  const auto swap = AxisPermutation::Create({2, 1, 0}).value();
  auto copy = Volume<float>::Uninitialized(1, {{5, 20, 3}});
  const auto view = ViewOf(std::as_const(image), 0).Permuted(swap);
  for (int64_t z = 0; z < 5; ++z) {
    for (int64_t y = 0; y < 20; ++y) {
      for (int64_t x = 0; x < 3; ++x) copy.at(0, {{z, y, x}}) = view.at({{z, y, x}});
    }
  }
  const Volume<double> of_view = SplineCoefficients(view, {true, true, true});
  const Volume<double> of_copy =
      SplineCoefficients(ViewOf(std::as_const(copy), 0), {true, true, true});
  EXPECT_TRUE(std::ranges::equal(of_view.voxels(), of_copy.voxels()));
}

TEST(SplineCoefficients, OfHalvesEqualThoseOfTheSameFloats) {
  auto halves = Volume<Half>::Uninitialized(1, {{2, 4, 18}});
  auto floats = Volume<float>::Uninitialized(1, halves.shape());
  for (int64_t i = 0; i < halves.size(); ++i) {
    halves.voxels()[i] = Half(static_cast<float>(i) / 7);
    floats.voxels()[i] = static_cast<float>(halves.voxels()[i]);
  }
  const Volume<double> a =
      SplineCoefficients(ViewOf(std::as_const(halves), 0), {false, true, true});
  const Volume<double> b =
      SplineCoefficients(ViewOf(std::as_const(floats), 0), {false, true, true});
  EXPECT_TRUE(std::ranges::equal(a.voxels(), b.voxels()));
}

}  // namespace
}  // namespace nnseg
