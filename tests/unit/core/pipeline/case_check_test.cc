#include "core/pipeline/case_check.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/support/status_matchers.h"
#include "tests/unit/core/pipeline/tiny_case.h"

namespace nnseg {
namespace {

using testing::HasSubstr;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(ValidateOptions, NamesWhatIsWrong) {
  const auto model = LoadTinyModel();
  const auto validate = [&](const SegmentationOptions& options) {
    return ValidateOptions(*model, options, false);
  };
  NNSEG_EXPECT_OK(validate({}));
  EXPECT_THAT(validate({.tile_step_size = 0}),
              StatusIs(kInvalid, HasSubstr("tile step size is 0")));
  EXPECT_THAT(validate({.tile_step_size = 1.5}), StatusIs(kInvalid, HasSubstr("at most 1")));
  EXPECT_THAT(validate({.tile_step_size = std::nan("")}), StatusIs(kInvalid));
  EXPECT_THAT(validate({.folds = {"7"}}), StatusIs(kInvalid, HasSubstr("7")));
  EXPECT_THAT(validate({.engine = "openvino"}), StatusIs(kInvalid, HasSubstr("openvino")));
  EXPECT_THAT(ValidateOptions(*model, {}, true), StatusIs(kInvalid, HasSubstr("is no cascade")));
}

TEST(EstimateWorkingBytes, GrowsWithTheImageAndRefusesAbsurdGrids) {
  const auto model = LoadTinyModel();
  const auto bytes = [&](const Shape3& shape, double spacing,
                         const SegmentationOptions& options = {}) {
    return EstimateWorkingBytes(*model, options, false, PixelType::kInt16, shape,
                                {{spacing, spacing, spacing}});
  };
  const auto small = bytes({{64, 64, 64}}, 1.0);
  const auto large = bytes({{128, 128, 128}}, 1.0);
  NNSEG_ASSERT_OK(small);
  NNSEG_ASSERT_OK(large);
  EXPECT_GT(*large, 4 * *small);
  EXPECT_THAT(bytes({{512, 512, 512}}, 16.0), StatusIs(kInvalid, HasSubstr("millimetres")));
}

}  // namespace
}  // namespace nnseg
