#include "core/pipeline/case_check.h"

#include <gmock/gmock.h>

#include <cmath>
#include <optional>
#include <vector>

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
  EXPECT_GT(large->host, 4 * small->host);
  EXPECT_THAT(bytes({{512, 512, 512}}, 16.0), StatusIs(kInvalid, HasSubstr("millimetres")));
}

// Networks that claim a byte for each voxel of the window, fold and mirror.
void ClaimVoxels(FakePatchNetwork& network) {
  network.ClaimWindows(
      [](const WindowShape& shape) { return shape.window.voxels() * shape.folds * shape.mirrors; });
}

int64_t DeviceBytes(const LoadedModel& model, const SegmentationOptions& options,
                    const std::vector<Box3>& regions = {}) {
  return EstimateWorkingBytes(model, options, false, PixelType::kInt16, {{40, 30, 20}}, {{1, 1, 1}},
                              regions)
      ->device;
}

TEST(EstimateWorkingBytes, DeviceBytesAreThoseOfTheFoldsAndMirrorsThatRun) {
  const auto model = LoadTinyModel({.mirroring_axes = {0, 1}}, ClaimVoxels);
  EXPECT_EQ(DeviceBytes(*model, {}), 24000 * 2 * 4);
  EXPECT_EQ(DeviceBytes(*model, {.folds = {"1"}, .use_mirroring = false}), 24000);
  EXPECT_EQ(DeviceBytes(*model, {.use_window = false}), 0);
  EXPECT_EQ(DeviceBytes(*LoadTinyModel(), {}), 0);
}

TEST(EstimateWorkingBytes, DeviceBytesAreThoseOfTheRegionsThatRunAtOnce) {
  const auto model = LoadTinyModel({.folds = {"0"}, .mirroring_axes = {}}, ClaimVoxels);
  std::vector<Box3> regions;
  for (int64_t i = 0; i < 6; ++i) regions.push_back({{{6 * i, 0, 0}}, {{6 * i + 1, 1, 1}}});
  const int64_t one = DeviceBytes(*model, {}, {regions[0]});
  EXPECT_EQ(one, 15 * 15 * 15);  // a patch of 8, and 7 more on either side
  EXPECT_EQ(DeviceBytes(*model, {}, regions), 4 * one);
}

TEST(EstimateWorkingBytes, LabelsAreDecidedOnTheDeviceUnlessProbabilitiesAreWanted) {
  std::optional<Shape3> labels;
  const auto model = LoadTinyModel({}, [&](FakePatchNetwork& network) {
    network.ClaimWindows([&](const WindowShape& shape) {
      labels = shape.labels;
      return 1;
    });
  });
  DeviceBytes(*model, {});
  EXPECT_EQ(labels, (Shape3{{30, 40, 20}}));  // internal axes
  DeviceBytes(*model, {.probabilities = true});
  EXPECT_EQ(labels, std::nullopt);
}

}  // namespace
}  // namespace nnseg
