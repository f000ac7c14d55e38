#include "server/label_checksum.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>
#include <vector>

namespace nnseg {
namespace {

// Paints random blocks that tile a part of the map, in random order, and compares with zlib's
// checksum of the map as a whole.
template <typename T>
void ExpectChecksumOfTheMap(LabelType type, const Shape3& shape, const std::vector<Box3>& boxes) {
  std::mt19937 random(7);
  std::vector<T> map(static_cast<std::size_t>(shape.voxels()));
  const Index3 strides = shape.strides();
  LabelChecksum checksum(shape, type);
  for (const Box3& box : boxes) {
    LabelBlock block{box, Volume<uint16_t>::Uninitialized(1, box.shape())};
    for (int64_t z = 0; z < box.shape()[0]; ++z) {
      for (int64_t y = 0; y < box.shape()[1]; ++y) {
        for (int64_t x = 0; x < box.shape()[2]; ++x) {
          const auto label = static_cast<T>(random() % 3 == 0 ? random() : 0);
          block.labels.at(0, {{z, y, x}}) = label;
          map[static_cast<std::size_t>((box.begin[0] + z) * strides[0] +
                                       (box.begin[1] + y) * strides[1] + box.begin[2] + x)] = label;
        }
      }
    }
    checksum.Add(block);
  }
  EXPECT_EQ(checksum.value(), crc32(0, reinterpret_cast<const Bytef*>(map.data()),
                                    static_cast<uInt>(map.size() * sizeof(T))));
}

TEST(LabelChecksum, EmptyMapIsAllBackground) {
  ExpectChecksumOfTheMap<uint8_t>(LabelType::kUint8, {{5, 7, 11}}, {});
  ExpectChecksumOfTheMap<uint16_t>(LabelType::kUint16, {{1, 1, 1}}, {});
}

TEST(LabelChecksum, WholeMapInOneBlock) {
  ExpectChecksumOfTheMap<uint8_t>(LabelType::kUint8, {{5, 7, 11}}, {Box3::Whole({{5, 7, 11}})});
}

TEST(LabelChecksum, BlocksMayComeInAnyOrderAndLeaveOutBackground) {
  const std::vector<Box3> boxes{{{{3, 2, 1}}, {{5, 6, 10}}},
                                {{{0, 2, 1}}, {{1, 6, 10}}},
                                {{{1, 4, 1}}, {{3, 6, 10}}},
                                {{{1, 2, 1}}, {{3, 4, 4}}}};
  ExpectChecksumOfTheMap<uint8_t>(LabelType::kUint8, {{6, 7, 11}}, boxes);
  ExpectChecksumOfTheMap<uint16_t>(LabelType::kUint16, {{6, 7, 11}}, boxes);
}

TEST(LabelChecksum, FullRowsAndPlanesAreRuns) {
  ExpectChecksumOfTheMap<uint16_t>(LabelType::kUint16, {{6, 7, 11}},
                                   {{{{4, 0, 0}}, {{6, 7, 11}}}, {{{0, 3, 0}}, {{4, 5, 11}}}});
}

}  // namespace
}  // namespace nnseg
