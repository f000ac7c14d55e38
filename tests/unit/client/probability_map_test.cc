#include "client/io/probability_map.h"

#include <zlib.h>

#include <cstring>

#include "client/io/image_reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tiny_bundle.h"
#include "tests/unit/client/image_files.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

/// Two channels of 4 x 3 x 2 voxels that count up from 0 in eighths.
ProbabilityMap Counting() {
  ProbabilityMap map{ObliqueGeometry(), {}};
  map.values = *VoxelBuffer::Allocate(PixelType::kFloat32, 2, map.geometry.shape());
  auto* values = reinterpret_cast<float*>(map.values.bytes().data());
  for (int i = 0; i < 48; ++i) values[i] = 0.125F * static_cast<float>(i);
  return map;
}

std::string Inflate(const std::string& packed, std::size_t size) {
  std::string plain(size, '\0');
  z_stream stream{};
  inflateInit2(&stream, -MAX_WBITS);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.avail_out, 0U);
  inflateEnd(&stream);
  return plain;
}

template <typename T>
T At(const std::string& bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

TEST(WriteProbabilities, AnNpzHoldsOneDeflatedArray) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "p.npz").string();
  const ProbabilityMap map = Counting();
  NNSEG_ASSERT_OK(WriteProbabilities(map, {map.geometry}, path));
  const std::string file = ReadFile(path);
  // The local header: 30 bytes, the name, and a ZIP64 field with both sizes.
  const std::string name = "probabilities.npy";
  ASSERT_EQ(file.substr(0, 4), std::string("PK\x03\x04"));
  EXPECT_EQ(file.substr(30, name.size()), name);
  const std::size_t sizes = 30 + name.size() + 4;
  const auto plain_size = At<uint64_t>(file, sizes);
  const auto packed_size = At<uint64_t>(file, sizes + 8);
  const std::string plain = Inflate(file.substr(sizes + 16, packed_size), plain_size);
  EXPECT_EQ(At<uint32_t>(file, 14),
            crc32_z(0, reinterpret_cast<const Bytef*>(plain.data()), plain.size()));
  EXPECT_THAT(plain, HasSubstr("'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 3, 4), }"));
  ASSERT_EQ(plain.size() % 64, (2 * 24 * 4) % 64);
  const std::string values = plain.substr(plain.size() - 192);
  EXPECT_EQ(values, std::string(reinterpret_cast<const char*>(map.values.bytes().data()), 192));
  // The end record counts one entry.
  EXPECT_EQ(file.substr(file.size() - 22, 4), std::string("PK\x05\x06"));
  EXPECT_EQ(At<uint16_t>(file, file.size() - 12), 1);
}

TEST(WriteProbabilities, ImagesOfFourAxesComeBack) {
  const TemporaryFolder folder;
  const ProbabilityMap map = Counting();
  for (const char* name : {"p.nii.gz", "p.nii", "p.nrrd"}) {
    const std::string path = (folder.path() / name).string();
    NNSEG_ASSERT_OK(WriteProbabilities(map, {map.geometry}, path));
    const auto image = ReadImage({path});
    NNSEG_ASSERT_OK(image);
    ASSERT_EQ(image->voxels.channels(), 2) << name;
    EXPECT_EQ(std::memcmp(image->voxels.bytes().data(), map.values.bytes().data(), 192), 0) << name;
    for (int i = 0; i < 3; ++i) {
      EXPECT_NEAR(image->geometry.spacing_mm[i], map.geometry.spacing_mm[i], 1e-6) << name;
      EXPECT_NEAR(image->geometry.origin_mm[i], map.geometry.origin_mm[i], 1e-5) << name;
    }
    for (int i = 0; i < 9; ++i) {
      EXPECT_NEAR(image->geometry.direction[i], map.geometry.direction[i], 1e-6) << name;
    }
  }
}

TEST(WriteProbabilities, ATurnedImageIsWrittenInItsFilesAxes) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "p.nrrd").string();
  ProbabilityMap map = Counting();
  FileGrid file{map.geometry, 3, {{1, 2, 0}, {true, false, true}}};
  map.values = Turned(map.values, file.turn);
  map.geometry = Turned(map.geometry, file.turn);
  NNSEG_ASSERT_OK(WriteProbabilities(map, file, path));
  const auto image = ReadImage({path});
  NNSEG_ASSERT_OK(image);
  EXPECT_EQ(std::memcmp(image->voxels.bytes().data(), Counting().values.bytes().data(), 192), 0);
}

TEST(WriteProbabilities, OtherEndingsAreRefused) {
  EXPECT_THAT(CheckProbabilityPath("p.mha"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(".npz")));
  EXPECT_THAT(CheckProbabilityPath("/nowhere/p.npz"), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace nnseg
