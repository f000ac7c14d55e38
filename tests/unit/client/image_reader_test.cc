#include "client/io/image_reader.h"

#include <numeric>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tiny_bundle.h"
#include "tests/unit/client/image_files.h"

namespace nnseg {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

template <typename T>
std::vector<T> Counting(int count = 24) {
  std::vector<T> voxels(static_cast<std::size_t>(count));
  std::iota(voxels.begin(), voxels.end(), T{1});
  return voxels;
}

template <typename T>
std::vector<T> VoxelsOf(const Image& image) {
  const auto bytes = image.voxels.bytes();
  std::vector<T> voxels(bytes.size() / sizeof(T));
  std::memcpy(voxels.data(), bytes.data(), bytes.size());
  return voxels;
}

void ExpectNear(const Geometry& got, const Geometry& expected, double tolerance) {
  EXPECT_EQ(got.size, expected.size);
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(got.spacing_mm[i], expected.spacing_mm[i], tolerance) << "axis " << i;
    EXPECT_NEAR(got.origin_mm[i], expected.origin_mm[i], tolerance) << "axis " << i;
  }
  for (int i = 0; i < 9; ++i) {
    EXPECT_NEAR(got.direction[i], expected.direction[i], tolerance) << "entry " << i;
  }
}

class ImageReader : public testing::Test {
 protected:
  std::string Put(const std::string& name, const std::string& bytes) {
    const std::string path = (folder_.path() / name).string();
    WriteFile(path, bytes);
    return path;
  }

  TemporaryFolder folder_;
  const Geometry geometry_ = ObliqueGeometry();
};

TEST_F(ImageReader, MetaImageKeepsTypeAndExactGeometry) {
  const auto image =
      ReadImage({Put("a.mha", MetaImage(geometry_, "MET_SHORT", Counting<int16_t>()))});
  NNSEG_ASSERT_OK(image);
  EXPECT_EQ(image->geometry, geometry_);
  EXPECT_EQ(image->voxels.pixel_type(), PixelType::kInt16);
  EXPECT_EQ(image->voxels.shape(), (Shape3{{2, 3, 4}}));
  EXPECT_THAT(VoxelsOf<int16_t>(*image), ElementsAreArray(Counting<int16_t>()));
  EXPECT_THAT(image->warnings, IsEmpty());
}

TEST_F(ImageReader, NrrdGivesTheSameGridToTheLastBits) {
  const auto image = ReadImage({Put("a.nrrd", Nrrd(geometry_, "float", Counting<float>()))});
  NNSEG_ASSERT_OK(image);
  ExpectNear(image->geometry, geometry_, 1e-12);
  EXPECT_EQ(image->voxels.pixel_type(), PixelType::kFloat32);
  EXPECT_THAT(VoxelsOf<float>(*image), ElementsAreArray(Counting<float>()));
}

TEST_F(ImageReader, NiftiTurnsItsWorldToLpsAndWidensItsSpacing) {
  Geometry geometry = geometry_;
  geometry.spacing_mm[0] = 0.7;
  const std::string file = Nifti(geometry, {.datatype = 2}, Counting<uint8_t>());
  for (const std::string& path : {Put("a.nii", file), Put("a.nii.gz", Gzip(file))}) {
    const auto image = ReadImage({path});
    NNSEG_ASSERT_OK(image);
    ExpectNear(image->geometry, geometry, 1e-6);
    EXPECT_EQ(image->geometry.spacing_mm[0], static_cast<double>(0.7F));
    EXPECT_EQ(image->voxels.pixel_type(), PixelType::kUint8);
    EXPECT_THAT(VoxelsOf<uint8_t>(*image), ElementsAreArray(Counting<uint8_t>()));
  }
}

TEST_F(ImageReader, ScaledNiftiBecomesFloat) {
  const auto image = ReadImage(
      {Put("a.nii", Nifti(geometry_, {.slope = 2, .intercept = -1024}, Counting<int16_t>()))});
  NNSEG_ASSERT_OK(image);
  EXPECT_EQ(image->voxels.pixel_type(), PixelType::kFloat32);
  EXPECT_EQ(VoxelsOf<float>(*image)[0], -1022);
  EXPECT_EQ(VoxelsOf<float>(*image)[23], -976);
}

TEST_F(ImageReader, WideIntegersBecomeFloat) {
  const auto image =
      ReadImage({Put("a.nii", Nifti(geometry_, {.datatype = 1024}, Counting<int64_t>()))});
  NNSEG_ASSERT_OK(image);
  EXPECT_EQ(image->voxels.pixel_type(), PixelType::kFloat32);
  EXPECT_THAT(VoxelsOf<float>(*image), ElementsAreArray(Counting<float>()));
}

TEST_F(ImageReader, ChannelsStackInTheOrderGiven) {
  const auto first = Put("a.mha", MetaImage(geometry_, "MET_UCHAR", Counting<uint8_t>()));
  const auto second =
      Put("b.mha", MetaImage(geometry_, "MET_UCHAR", std::vector<uint8_t>(24, 200)));
  const auto image = ReadImage({first, second});
  NNSEG_ASSERT_OK(image);
  EXPECT_EQ(image->voxels.channels(), 2);
  EXPECT_EQ(image->voxels.pixel_type(), PixelType::kUint8);
  EXPECT_EQ(VoxelsOf<uint8_t>(*image)[0], 1);
  EXPECT_EQ(VoxelsOf<uint8_t>(*image)[24], 200);
}

TEST_F(ImageReader, ChannelsOfDifferentTypesBecomeFloat) {
  const auto first = Put("a.mha", MetaImage(geometry_, "MET_UCHAR", Counting<uint8_t>()));
  const auto second =
      Put("b.mha", MetaImage(geometry_, "MET_DOUBLE", std::vector<double>(24, 0.5)));
  const auto image = ReadImage({first, second});
  NNSEG_ASSERT_OK(image);
  EXPECT_EQ(image->voxels.pixel_type(), PixelType::kFloat32);
  EXPECT_EQ(VoxelsOf<float>(*image)[23], 24);
  EXPECT_EQ(VoxelsOf<float>(*image)[47], 0.5);
}

TEST_F(ImageReader, ChannelsWithOtherSpacingAreRefused) {
  Geometry other = geometry_;
  other.spacing_mm[2] = 2.6;
  EXPECT_THAT(ReadImage({Put("a.mha", MetaImage(geometry_, "MET_UCHAR", Counting<uint8_t>())),
                         Put("b.mha", MetaImage(other, "MET_UCHAR", Counting<uint8_t>()))}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("b.mha"), HasSubstr("2.6"), HasSubstr("2.5"))));
}

TEST_F(ImageReader, ChannelsWithOtherOriginGiveAWarning) {
  Geometry other = geometry_;
  other.origin_mm[1] += 1;
  const auto image =
      ReadImage({Put("a.mha", MetaImage(geometry_, "MET_UCHAR", Counting<uint8_t>())),
                 Put("b.mha", MetaImage(other, "MET_UCHAR", Counting<uint8_t>()))});
  NNSEG_ASSERT_OK(image);
  EXPECT_THAT(image->warnings, ElementsAre(HasSubstr("origin")));
  EXPECT_EQ(image->geometry.origin_mm, geometry_.origin_mm);
}

TEST_F(ImageReader, AFourthAxisOfLengthOneIsNoObstacle) {
  NNSEG_EXPECT_OK(ReadImage(
      {Put("a.nii", Nifti(geometry_, {.dims = {4, 4, 3, 2, 1, 1, 1, 1}}, Counting<int16_t>()))}));
}

TEST_F(ImageReader, TheFourthAxisCountsChannels) {
  const auto image = ReadImage(
      {Put("a.nii", Nifti(geometry_, {.dims = {4, 4, 3, 2, 2, 1, 1, 1}}, Counting<int16_t>(48)))});
  NNSEG_ASSERT_OK(image);
  EXPECT_EQ(image->voxels.channels(), 2);
  EXPECT_EQ(image->voxels.shape(), (Shape3{{2, 3, 4}}));
  EXPECT_THAT(VoxelsOf<int16_t>(*image), ElementsAreArray(Counting<int16_t>(48)));
}

TEST_F(ImageReader, APictureIsASliceWithAHugeSpacing) {
  const auto image = ReadImage(
      {Put("b.nii", Nifti(geometry_, {.dims = {2, 4, 3, 1, 1, 1, 1, 1}}, Counting<int16_t>(12)))});
  NNSEG_ASSERT_OK(image);
  EXPECT_EQ(image->geometry.size, (std::array<int64_t, 3>{4, 3, 1}));
  EXPECT_EQ(image->geometry.spacing_mm, (std::array<double, 3>{0.75, 1.25, 999 * 1.25}));
  EXPECT_EQ(image->file.dimensions, 2);
}

TEST_F(ImageReader, AFifthAxisIsRefused) {
  EXPECT_THAT(ReadImage({Put("a.nii", Nifti(geometry_, {.dims = {5, 4, 3, 2, 1, 2, 1, 1}},
                                            Counting<int16_t>(48)))}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("a.nii"), HasSubstr("5D"), HasSubstr("4x3x2x1x2"))));
}

TEST_F(ImageReader, SeveralValuesAVoxelAreRefused) {
  std::string file = MetaImage(geometry_, "MET_UCHAR", Counting<uint8_t>(72));
  file.insert(file.find("ElementType"), "ElementNumberOfChannels = 3\n");
  EXPECT_THAT(ReadImage({Put("a.mha", file)}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("3 values a voxel")));
}

TEST_F(ImageReader, WhatIsNoImageIsRefusedByName) {
  EXPECT_THAT(ReadImage({(folder_.path() / "missing.nii.gz").string()}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("missing.nii.gz")));
  EXPECT_THAT(ReadImage({Put("a.txt", "words")}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(".nrrd")));
  for (const char* name : {"a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.mhd"}) {
    EXPECT_THAT(ReadImage({Put(name, "words")}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr(name), testing::Not(HasSubstr("0x")))));
    EXPECT_THAT(ReadImage({Put(name, "")}), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST_F(ImageReader, ASpacingOfZeroIsRefused) {
  Geometry flat = geometry_;
  flat.spacing_mm[1] = 0;
  EXPECT_THAT(ReadImage({Put("a.mha", MetaImage(flat, "MET_UCHAR", Counting<uint8_t>()))}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace nnseg
