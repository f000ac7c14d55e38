#include "client/io/image_format.h"

#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/io/image_reader.h"
#include "client/io/nifti_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tiny_bundle.h"
#include "tests/unit/client/image_files.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

/// The folder of make_reader_goldens.py: the committed one, or one named for a wider comparison.
std::filesystem::path GoldenFolder() {
  const char* named = std::getenv("NNSEG_READER_GOLDENS");
  if (named != nullptr) return named;
  return std::filesystem::path(std::getenv("NNSEG_TEST_DATA")) / "readers";
}

/// One case of cases.json, as nnU-Net's reader and writer see it.
struct ReaderCase {
  std::string reader;
  std::vector<std::string> files;
  std::array<int64_t, 4> shape{};
  std::array<double, 3> spacing{};
  uint32_t crc32 = 0;
  std::string labels;  ///< empty: nnU-Net cannot write them
};

void PrintTo(const ReaderCase& c, std::ostream* out) { *out << c.reader << " " << c.files[0]; }

std::vector<ReaderCase> AllCases() {
  const std::filesystem::path folder = GoldenFolder();
  std::ifstream file(folder / "cases.json");
  std::vector<ReaderCase> cases;
  for (const auto& json : nlohmann::json::parse(file)) {
    ReaderCase c{json["reader"], {}, json["shape"], json["spacing"], json["crc32"], ""};
    for (const std::string name : json["files"]) c.files.push_back((folder / name).string());
    if (json.contains("labels")) c.labels = (folder / std::string(json["labels"])).string();
    cases.push_back(std::move(c));
  }
  return cases;
}

class ImageFormatGolden : public testing::TestWithParam<ReaderCase> {};

TEST_P(ImageFormatGolden, ArrayAndSpacingEqualNnunetsReader) {
  const auto format = FindImageFormat(GetParam().reader);
  NNSEG_ASSERT_OK(format);
  const auto image = (*format)->Read(GetParam().files);
  NNSEG_ASSERT_OK(image);
  const Volume<float> array = image->voxels.ToFloat();
  const Shape3& shape = array.shape();
  EXPECT_EQ((std::array<int64_t, 4>{array.channels(), shape[0], shape[1], shape[2]}),
            GetParam().shape);
  const Spacing3 spacing = image->geometry.spacing();
  EXPECT_EQ((std::array<double, 3>{spacing[0], spacing[1], spacing[2]}), GetParam().spacing);
  const auto bytes = std::as_bytes(array.voxels());
  EXPECT_EQ(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()),
            GetParam().crc32);
  EXPECT_EQ(image->geometry.shape(), shape);
  NNSEG_EXPECT_OK(ValidateGeometry(image->geometry));
}

TEST_P(ImageFormatGolden, LabelsAreWrittenWhereNnunetsWriterPutsThem) {
  if (GetParam().labels.empty()) GTEST_SKIP() << "nnU-Net writes no labels for a 4D file";
  const auto format = FindImageFormat(GetParam().reader);
  NNSEG_ASSERT_OK(format);
  const auto image = (*format)->Read(GetParam().files);
  NNSEG_ASSERT_OK(image);
  LabelMap map{image->geometry, LabelType::kUint16,
               Volume<uint16_t>::Uninitialized(1, image->voxels.shape())};
  for (int64_t i = 0; i < map.labels.size(); ++i) {
    map.labels.voxels()[static_cast<std::size_t>(i)] = static_cast<uint16_t>(7 * i % 11);
  }
  const TemporaryFolder folder;
  const std::string path =
      (folder.path() / std::filesystem::path(GetParam().labels).filename()).string();
  NNSEG_ASSERT_OK((*format)->Write(map, image->file, path));

  const std::string as_written = absl::StartsWith(GetParam().reader, "S")     ? "SimpleITKIO"
                                 : absl::StartsWith(GetParam().reader, "Nib") ? "NibabelIO"
                                                                              : GetParam().reader;
  const auto plain = FindImageFormat(as_written);
  NNSEG_ASSERT_OK(plain);
  const auto written = (*plain)->Read({path});
  NNSEG_ASSERT_OK(written);
  const auto expected = (*plain)->Read({GetParam().labels});
  NNSEG_ASSERT_OK(expected);
  EXPECT_EQ(written->voxels.pixel_type(), PixelType::kUint8);
  EXPECT_EQ(written->voxels.pixel_type(), expected->voxels.pixel_type());
  EXPECT_EQ(written->voxels.shape(), expected->voxels.shape());
  EXPECT_TRUE(std::equal(written->voxels.bytes().begin(), written->voxels.bytes().end(),
                         expected->voxels.bytes().begin(), expected->voxels.bytes().end()));
  EXPECT_EQ(written->geometry, expected->geometry);
  EXPECT_EQ(written->file.dimensions, expected->file.dimensions);
  EXPECT_EQ(written->file.affine, expected->file.affine);
}

INSTANTIATE_TEST_SUITE_P(Cases, ImageFormatGolden, testing::ValuesIn(AllCases()));

TEST(ImageFormat, AnUnknownReaderIsRefusedByName) {
  EXPECT_THAT(FindImageFormat("MyReader"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("MyReader")));
}

TEST(ImageFormat, LabelsOf255AndMoreAreWrittenAsUint16) {
  const TemporaryFolder folder;
  const auto file_for = [&](const char* name) { return (folder.path() / name).string(); };
  const Geometry grid{{3, 2, 2}, {1, 2, 3}};
  const LabelMap map{grid, LabelType::kUint8, Volume<uint16_t>::Filled(1, grid.shape(), 255)};
  FileGrid file{grid};
  file.affine = {1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0};
  for (const auto& [reader, name] : std::vector<std::pair<const char*, const char*>>{
           {"SimpleITKIO", "a.nrrd"}, {"NibabelIO", "a.nii.gz"}, {"Tiff3DIO", "a.tif"}}) {
    const ImageFormat& format = **FindImageFormat(reader);
    NNSEG_ASSERT_OK(format.Write(map, file, file_for(name)));
    const auto read = ReadImage({file_for(name)});
    NNSEG_ASSERT_OK(read);
    EXPECT_EQ(read->voxels.pixel_type(), PixelType::kUint16) << name;
    EXPECT_EQ(read->voxels.ToFloat().voxels()[11], 255) << name;
  }
}

TEST(ImageFormat, GreatLabelsAreKeptWhereNnunetWrapsThem) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.nrrd").string();
  const Geometry grid{{3, 2, 2}};
  const LabelMap map{grid, LabelType::kUint16, Volume<uint16_t>::Filled(1, grid.shape(), 300)};
  NNSEG_ASSERT_OK((*FindImageFormat("SimpleITKIOWithReorient"))->Write(map, FileGrid{grid}, path));
  const auto read = ReadImage({path});
  NNSEG_ASSERT_OK(read);
  EXPECT_EQ(read->voxels.ToFloat().voxels()[0], 300);
}

TEST(ImageFormat, EndingsOfOtherFormatsAreRefused) {
  const auto refuses = [](const char* reader, const char* path) {
    EXPECT_THAT((*FindImageFormat(reader))->CheckPath(path),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expected .")))
        << reader;
  };
  refuses("SimpleITKIO", "labels.png");
  refuses("NibabelIO", "labels.nrrd");
  refuses("NaturalImage2DIO", "labels.nii.gz");
  refuses("Tiff3DIO", "labels.png");
}

TEST(NibabelFormat, ASingularAffineAndFourAxesAreRefused) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.nii").string();
  const ImageFormat& format = **FindImageFormat("NibabelIO");
  Geometry flat = ObliqueGeometry();
  flat.direction = {1, 1, 0, 0, 0, 0, 0, 0, 1};
  WriteFile(path, Nifti(flat, {}, std::vector<int16_t>(24)));
  EXPECT_THAT(format.Read({path}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("singular")));
  WriteFile(path,
            Nifti(ObliqueGeometry(), {.dims = {4, 4, 3, 2, 2, 1, 1, 1}}, std::vector<int16_t>(48)));
  EXPECT_THAT(format.Read({path}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("4D")));
  EXPECT_THAT(format.Read({"missing.nii"}), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace nnseg
