#include "core/geometry/geometry.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Geometry Plain() { return {.size = {181, 217, 180}, .spacing_mm = {1, 0.5, 2}}; }

void ExpectRefused(const Geometry& geometry, const std::string& text) {
  EXPECT_THAT(ValidateGeometry(geometry),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(text)));
}

TEST(Geometry, ArrayOrderIsTheReverseOfItks) {
  EXPECT_EQ(Plain().shape(), (Shape3{{180, 217, 181}}));
  EXPECT_EQ(Plain().spacing(), (Spacing3{{2, 0.5, 1}}));
}

TEST(ValidateGeometry, AcceptsRotationsAndReflections) {
  EXPECT_THAT(ValidateGeometry(Plain()), IsOk());
  Geometry geometry = Plain();
  geometry.direction = {-1, 0, 0, 0, -1, 0, 0, 0, 1};
  EXPECT_THAT(ValidateGeometry(geometry), IsOk());
  geometry.direction = {1, 0, 0, 0, 1, 0, 0, 0, -1};
  EXPECT_THAT(ValidateGeometry(geometry), IsOk());
  const double c = std::cos(0.3);
  const double s = std::sin(0.3);
  geometry.direction = {c, -s, 0, s, c, 0, 0, 0, 1};
  geometry.origin_mm = {-90, 126, -72};
  EXPECT_THAT(ValidateGeometry(geometry), IsOk());
}

TEST(ValidateGeometry, NamesTheAxisOfABadSize) {
  Geometry geometry = Plain();
  geometry.size = {181, 0, 180};
  ExpectRefused(geometry, "size along y is 0");
  geometry.size = {181, 217, kMaxAxisVoxels + 1};
  ExpectRefused(geometry, "size along z is 16385");
  geometry.size = {-1, 217, 180};
  ExpectRefused(geometry, "size along x is -1");
}

TEST(ValidateGeometry, NamesTheAxisOfABadSpacing) {
  for (const auto& [value, text] : std::vector<std::pair<double, std::string>>{
           {0, "0 mm"}, {-1, "-1 mm"}, {kNan, "nan"}, {kInfinity, "inf"}, {2e6, "2e+06 mm"}}) {
    Geometry geometry = Plain();
    geometry.spacing_mm[2] = value;
    ExpectRefused(geometry, "spacing along z is " + text);
  }
}

TEST(ValidateGeometry, RefusesAnOriginThatIsNotFinite) {
  Geometry geometry = Plain();
  geometry.origin_mm[0] = kNan;
  ExpectRefused(geometry, "origin along x");
}

TEST(ValidateGeometry, RefusesDirectionsThatAreNoRotation) {
  Geometry geometry = Plain();
  geometry.direction = {1, 0, 0, 0, 1, 0, 0, 0, 0};
  ExpectRefused(geometry, "determinant 0");
  geometry.direction = {2, 0, 0, 0, 1, 0, 0, 0, 1};
  ExpectRefused(geometry, "determinant 2");
  geometry.direction[4] = kInfinity;
  ExpectRefused(geometry, "non-finite");
}

}  // namespace
}  // namespace nnseg
