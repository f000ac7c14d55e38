// Row 25 of the parity table: arrays, spacings and label files of the client against those of
// nnU-Net's nibabel readers.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "client/io/image_format.h"
#include "tests/support/golden.h"

namespace nnseg::parity {
namespace {

using nlohmann::json;

std::string Path(const json& entry, const char* key) {
  return TestDataPath("parity/" + entry.at(key).get<std::string>());
}

Image ReadAs(const std::string& reader, const std::string& path) {
  auto image = (*FindImageFormat(reader))->Read({path});
  EXPECT_TRUE(image.ok()) << image.status();
  return *std::move(image);
}

class Row25 : public testing::TestWithParam<json> {};

TEST_P(Row25, ReadsTheArrayOfNnunet) {
  const json& entry = GetParam();
  const Image image = ReadAs(entry.at("reader"), Path(entry, "image"));
  const Volume<float> expected = ReadNpy<float>(Path(entry, "array"));
  ASSERT_EQ(image.voxels.shape(), expected.shape());
  EXPECT_TRUE(std::ranges::equal(image.voxels.ToFloat().voxels(), expected.voxels()));
  EXPECT_EQ(image.geometry.spacing(), TripleFrom<Spacing3>(entry.at("spacing")));
}

TEST_P(Row25, WritesLabelsWhereNnunetWritesThem) {
  const json& entry = GetParam();
  const Image image = ReadAs(entry.at("reader"), Path(entry, "image"));
  const LabelMap map{image.geometry, LabelType::kUint8, ReadNpy<uint16_t>(Path(entry, "labels"))};
  const auto ours =
      std::filesystem::path(testing::TempDir()) / (entry.at("name").get<std::string>() + ".nii.gz");
  const absl::Status status =
      (*FindImageFormat(entry.at("reader").get<std::string>()))->Write(map, image.file, ours);
  ASSERT_TRUE(status.ok()) << status;

  const Image written = ReadAs("NibabelIO", ours);
  const Image expected = ReadAs("NibabelIO", Path(entry, "written"));
  EXPECT_EQ(written.file.affine, expected.file.affine);
  EXPECT_EQ(written.voxels.pixel_type(), expected.voxels.pixel_type());
  ASSERT_EQ(written.voxels.shape(), expected.voxels.shape());
  EXPECT_TRUE(std::ranges::equal(written.voxels.bytes(), expected.voxels.bytes()));
  std::filesystem::remove(ours);
}

INSTANTIATE_TEST_SUITE_P(
    Parity, Row25,
    testing::ValuesIn(
        ReadJson(TestDataPath("parity/index.json")).at("readers").get<std::vector<json>>()),
    [](const auto& info) { return info.param.at("name").template get<std::string>(); });

}  // namespace
}  // namespace nnseg::parity
