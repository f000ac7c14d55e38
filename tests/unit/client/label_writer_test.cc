#include "client/io/label_writer.h"

#include "client/io/image_format.h"
#include "client/io/image_reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tiny_bundle.h"
#include "tests/support/volume_builders.h"
#include "tests/unit/client/image_files.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

LabelMap Counting(const Geometry& geometry, LabelType type) {
  return {geometry, type, CountingVolume<uint16_t>(1, geometry.shape())};
}

/// Largest difference of two geometries' numbers; sizes must be equal.
double Difference(const Geometry& a, const Geometry& b) {
  EXPECT_EQ(a.size, b.size);
  double difference = 0;
  for (int i = 0; i < 3; ++i) {
    difference = std::max({difference, std::abs(a.spacing_mm[i] - b.spacing_mm[i]),
                           std::abs(a.origin_mm[i] - b.origin_mm[i])});
  }
  for (int i = 0; i < 9; ++i) {
    difference = std::max(difference, std::abs(a.direction[i] - b.direction[i]));
  }
  return difference;
}

class LabelWriter : public testing::TestWithParam<const char*> {
 protected:
  std::string Path() const { return (folder_.path() / GetParam()).string(); }
  TemporaryFolder folder_;
};

TEST_P(LabelWriter, LabelsAndObliqueGridComeBack) {
  for (const LabelType type : {LabelType::kUint8, LabelType::kUint16}) {
    const LabelMap map = Counting(ObliqueGeometry(), type);
    NNSEG_ASSERT_OK(WriteLabels(map, Path()));
    const auto image = ReadImage({Path()});
    NNSEG_ASSERT_OK(image);
    EXPECT_EQ(image->voxels.pixel_type(),
              type == LabelType::kUint8 ? PixelType::kUint8 : PixelType::kUint16);
    const bool nifti = std::string(GetParam()).find(".nii") != std::string::npos;
    EXPECT_LE(Difference(image->geometry, map.geometry), nifti ? 3e-7 : 1e-12);
    const Volume<float> read = image->voxels.ToFloat();
    for (std::size_t i = 0; i < 24; ++i) EXPECT_EQ(read.voxels()[i], static_cast<float>(i));
  }
}

TEST_P(LabelWriter, AnAxisAlignedGridComesBackExactly) {
  const LabelMap map =
      Counting({{4, 3, 2}, {1.5, 0.75, 3}, {-90.5, 126, -72}, {0, -1, 0, 0, 0, -1, 1, 0, 0}},
               LabelType::kUint8);
  NNSEG_ASSERT_OK(WriteLabels(map, Path()));
  const auto image = ReadImage({Path()});
  NNSEG_ASSERT_OK(image);
  EXPECT_EQ(Difference(image->geometry, map.geometry), 0);
}

TEST_P(LabelWriter, AFileReadAndWrittenAgainKeepsItsGrid) {
  NNSEG_ASSERT_OK(WriteLabels(Counting(ObliqueGeometry(), LabelType::kUint8), Path()));
  const auto once = ReadImage({Path()});
  NNSEG_ASSERT_OK(once);
  NNSEG_ASSERT_OK(WriteLabels(Counting(once->geometry, LabelType::kUint8), Path()));
  const auto twice = ReadImage({Path()});
  NNSEG_ASSERT_OK(twice);
  // What is left is the rounding of NIfTI's float32 quaternion.
  EXPECT_LE(Difference(twice->geometry, once->geometry), 1e-7);
}

INSTANTIATE_TEST_SUITE_P(Formats, LabelWriter,
                         testing::Values("a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.mhd"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase_if(name, [](char c) { return c == '.'; });
                           return name;
                         });

TEST(LabelWriterPath, LongRunsOfLabelsAreCompressed) {
  TemporaryFolder folder;
  const LabelMap map{
      {{64, 64, 64}}, LabelType::kUint8, Volume<uint16_t>::Filled(1, {{64, 64, 64}}, 3)};
  for (const char* name : {"a.nii.gz", "a.nrrd", "a.mha"}) {
    const std::string path = (folder.path() / name).string();
    NNSEG_ASSERT_OK(WriteLabels(map, path));
    EXPECT_LT(ReadFile(path).size(), 8000U) << name;
  }
}

TEST(LabelWriterPath, ImpossiblePlacesAreRefusedBeforehand) {
  EXPECT_THAT((*FindImageFormat("SimpleITKIO"))->CheckPath("/nowhere/labels.nii.gz"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("folder")));
  EXPECT_THAT((*FindImageFormat("SimpleITKIO"))->CheckPath("labels.png"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(".nii.gz")));
  NNSEG_EXPECT_OK((*FindImageFormat("SimpleITKIO"))->CheckPath("labels.NII.GZ"));
}

}  // namespace
}  // namespace nnseg
