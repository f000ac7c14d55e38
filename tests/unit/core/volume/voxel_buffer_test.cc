#include "core/volume/voxel_buffer.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <typename T>
VoxelBuffer BufferOf(PixelType type, int64_t channels, const Shape3& shape,
                     const std::vector<T>& voxels) {
  VoxelBuffer buffer = VoxelBuffer::Allocate(type, channels, shape).value();
  EXPECT_EQ(buffer.bytes().size(), voxels.size() * sizeof(T));
  std::memcpy(buffer.bytes().data(), voxels.data(), buffer.bytes().size());
  return buffer;
}

TEST(VoxelBytes, CountsChannelsVoxelsAndBytes) {
  EXPECT_THAT(VoxelBytes(PixelType::kInt16, 2, {{3, 4, 5}}), IsOkAndHolds(240));
  EXPECT_THAT(VoxelBytes(PixelType::kFloat64, 1, {{1, 1, 1}}), IsOkAndHolds(8));
}

TEST(VoxelBytes, RefusesOverflowAndEmptySizes) {
  const int64_t huge = int64_t{1} << 31;
  EXPECT_THAT(VoxelBytes(PixelType::kInt16, 2, {{huge, huge, 1}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("fewer than 2^63 bytes")));
  EXPECT_THAT(VoxelBytes(PixelType::kInt16, 0, {{3, 4, 5}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0 channel(s)")));
  EXPECT_THAT(VoxelBytes(PixelType::kInt16, 1, {{3, -4, 5}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("3x-4x5")));
}

TEST(VoxelBuffer, RefusesMoreThanTheMachineHas) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers abort on such an allocation instead of refusing it";
#endif
  EXPECT_THAT(VoxelBuffer::Allocate(PixelType::kUint8, 1, {{1 << 20, 1 << 20, 1 << 22}}),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(VoxelBuffer, ConvertsEveryPixelTypeToFloat) {
  const Shape3 shape{{1, 1, 3}};
  EXPECT_THAT(BufferOf<int8_t>(PixelType::kInt8, 1, shape, {-128, 0, 127}).ToFloat().voxels(),
              ElementsAre(-128, 0, 127));
  EXPECT_THAT(BufferOf<uint8_t>(PixelType::kUint8, 1, shape, {0, 1, 255}).ToFloat().voxels(),
              ElementsAre(0, 1, 255));
  EXPECT_THAT(BufferOf<int16_t>(PixelType::kInt16, 1, shape, {-1024, 0, 3071}).ToFloat().voxels(),
              ElementsAre(-1024, 0, 3071));
  EXPECT_THAT(BufferOf<uint16_t>(PixelType::kUint16, 1, shape, {0, 1, 65535}).ToFloat().voxels(),
              ElementsAre(0, 1, 65535));
  EXPECT_THAT(BufferOf<int32_t>(PixelType::kInt32, 1, shape, {-70000, 0, 1}).ToFloat().voxels(),
              ElementsAre(-70000, 0, 1));
  EXPECT_THAT(
      BufferOf<uint32_t>(PixelType::kUint32, 1, shape, {0, 1, 4294967295}).ToFloat().voxels(),
      ElementsAre(0, 1, 4294967296.0F));
  EXPECT_THAT(BufferOf<float>(PixelType::kFloat32, 1, shape, {0.1F, -2, 3}).ToFloat().voxels(),
              ElementsAre(0.1F, -2, 3));
  EXPECT_THAT(BufferOf<double>(PixelType::kFloat64, 1, shape, {0.1, -2, 3}).ToFloat().voxels(),
              ElementsAre(0.1F, -2, 3));
}

TEST(VoxelBuffer, ConvertsOneChannelAlone) {
  const auto buffer = BufferOf<int16_t>(PixelType::kInt16, 2, {{1, 1, 2}}, {1, 2, 3, 4});
  const Volume<float> channel = buffer.ToFloat(1);
  EXPECT_EQ(channel.channels(), 1);
  EXPECT_THAT(channel.voxels(), ElementsAre(3, 4));
}

TEST(VoxelBuffer, NamesTheFirstVoxelThatIsNotFinite) {
  std::vector<float> voxels(2 * 2 * 3 * 4, 1);
  const Shape3 shape{{2, 3, 4}};
  EXPECT_THAT(BufferOf(PixelType::kFloat32, 2, shape, voxels).CheckFinite(), IsOk());
  voxels[24 + 12 + 4 + 2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(BufferOf(PixelType::kFloat32, 2, shape, voxels).CheckFinite(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("voxel (z, y, x) = (1, 1, 2) of channel 1 is nan")));
}

TEST(VoxelBuffer, ADoubleThatOverflowsFloatIsNotFinite) {
  EXPECT_THAT(BufferOf<double>(PixelType::kFloat64, 1, {{1, 1, 2}}, {0, 1e39}).CheckFinite(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is inf")));
}

}  // namespace
}  // namespace nnseg
