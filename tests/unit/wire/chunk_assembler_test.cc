#include "proto/wire/chunk_assembler.h"

#include <gmock/gmock.h>

#include <cstring>
#include <limits>
#include <vector>

#include "proto/wire/chunk_writer.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::HasSubstr;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

ChunkAssembler Assembler(PixelType type = PixelType::kInt16, Shape3 shape = {{2, 3, 5}}) {
  return ChunkAssembler(*VoxelBuffer::Allocate(type, 1, shape));
}

absl::Status Append(ChunkAssembler& assembler, uint64_t offset, std::span<const std::byte> bytes) {
  const auto place = assembler.Reserve(offset, bytes.size());
  if (!place.ok()) return place.status();
  std::memcpy(place->data(), bytes.data(), bytes.size());
  return assembler.Commit();
}

std::vector<std::byte> Counting(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i);
  return bytes;
}

TEST(ChunkAssembler, PutsChunksOfAnySizeTogether) {
  const auto bytes = Counting(60);
  for (const std::size_t chunk_bytes : {1U, 7U, 59U, 60U, 61U}) {
    ChunkAssembler assembler = Assembler();
    ChunkWriter writer(bytes, chunk_bytes);
    ::segmentation::v1::VoxelChunk chunk;
    while (writer.Next(chunk)) {
      NNSEG_ASSERT_OK(Append(assembler, chunk.offset(),
                             std::as_bytes(std::span(chunk.data().data(), chunk.data().size()))));
    }
    const auto upload = std::move(assembler).Finish();
    NNSEG_ASSERT_OK(upload);
    EXPECT_EQ(std::memcmp(upload->image.bytes().data(), bytes.data(), bytes.size()), 0)
        << chunk_bytes;
  }
}

TEST(ChunkAssembler, LabelsFollowTheImage) {
  const auto image = Counting(60);
  const auto labels = Counting(30);
  ChunkAssembler assembler(*VoxelBuffer::Allocate(PixelType::kInt16, 1, {{2, 3, 5}}),
                           *VoxelBuffer::Allocate(PixelType::kUint8, 1, {{2, 3, 5}}));
  NNSEG_ASSERT_OK(Append(assembler, 0, image));
  ChunkWriter writer(labels, 11, image.size());
  ::segmentation::v1::VoxelChunk chunk;
  while (writer.Next(chunk)) {
    NNSEG_ASSERT_OK(Append(assembler, chunk.offset(),
                           std::as_bytes(std::span(chunk.data().data(), chunk.data().size()))));
  }
  EXPECT_THAT(Append(assembler, 90, Counting(1)),
              StatusIs(kInvalid, HasSubstr("the previous labels have 30 bytes")));
  const auto upload = std::move(assembler).Finish();
  NNSEG_ASSERT_OK(upload);
  EXPECT_EQ(std::memcmp(upload->image.bytes().data(), image.data(), image.size()), 0);
  EXPECT_EQ(std::memcmp(upload->previous_labels.bytes().data(), labels.data(), labels.size()), 0);
}

TEST(ChunkAssembler, RefusesAChunkOfImageAndLabels) {
  ChunkAssembler assembler(*VoxelBuffer::Allocate(PixelType::kInt16, 1, {{2, 3, 5}}),
                           *VoxelBuffer::Allocate(PixelType::kUint8, 1, {{2, 3, 5}}));
  EXPECT_THAT(Append(assembler, 0, Counting(61)),
              StatusIs(kInvalid, HasSubstr("the image has 60 bytes")));
  NNSEG_ASSERT_OK(Append(assembler, 0, Counting(60)));
  EXPECT_THAT(std::move(assembler).Finish(), StatusIs(kInvalid, HasSubstr("expected 90")));
}

TEST(ChunkAssembler, RefusesAGap) {
  ChunkAssembler assembler = Assembler();
  NNSEG_ASSERT_OK(Append(assembler, 0, Counting(10)));
  EXPECT_THAT(Append(assembler, 11, Counting(10)),
              StatusIs(kInvalid, "chunk: got offset 11, expected 10 (a gap)"));
}

TEST(ChunkAssembler, RefusesAnOverlap) {
  ChunkAssembler assembler = Assembler();
  NNSEG_ASSERT_OK(Append(assembler, 0, Counting(10)));
  EXPECT_THAT(Append(assembler, 9, Counting(10)),
              StatusIs(kInvalid, "chunk: got offset 9, expected 10 (an overlap)"));
}

TEST(ChunkAssembler, RefusesAnOverrun) {
  ChunkAssembler assembler = Assembler();
  NNSEG_ASSERT_OK(Append(assembler, 0, Counting(50)));
  EXPECT_THAT(Append(assembler, 50, Counting(11)),
              StatusIs(kInvalid, HasSubstr("got 11 bytes at offset 50, expected at most 10")));
}

TEST(ChunkAssembler, RefusesMoreAfterTheWholeImage) {
  ChunkAssembler assembler = Assembler();
  NNSEG_ASSERT_OK(Append(assembler, 0, Counting(60)));
  EXPECT_THAT(Append(assembler, 60, Counting(1)), StatusIs(kInvalid));
}

TEST(ChunkAssembler, RefusesEmptyAndHugeChunks) {
  ChunkAssembler assembler = Assembler();
  EXPECT_THAT(assembler.Reserve(0, 0), StatusIs(kInvalid, HasSubstr("got 0 bytes")));
  EXPECT_THAT(assembler.Reserve(0, kMaxChunkBytes + 1), StatusIs(kInvalid));
  EXPECT_THAT(assembler.Reserve(0, std::numeric_limits<uint64_t>::max()), StatusIs(kInvalid));
}

TEST(ChunkAssembler, RefusesAShortUpload) {
  ChunkAssembler assembler = Assembler();
  NNSEG_ASSERT_OK(Append(assembler, 0, Counting(59)));
  EXPECT_THAT(std::move(assembler).Finish(),
              StatusIs(kInvalid, "upload: got 59 bytes, expected 60"));
}

TEST(ChunkAssembler, NamesTheVoxelThatIsNotFinite) {
  std::vector<float> image(30, 1.0F);
  image[17] = std::numeric_limits<float>::quiet_NaN();
  const auto bytes = std::as_bytes(std::span(image));
  // The chunk boundary cuts through the bad voxel: it is found when its last byte comes.
  ChunkAssembler assembler = Assembler(PixelType::kFloat32);
  NNSEG_ASSERT_OK(Append(assembler, 0, bytes.first(70)));
  EXPECT_THAT(Append(assembler, 70, bytes.subspan(70)),
              StatusIs(kInvalid, HasSubstr("(z, y, x) = (1, 0, 2)")));
}

TEST(ChunkAssembler, TakesADoubleBeyondFloatForInfinite) {
  const std::vector<double> image(30, 1e300);
  ChunkAssembler assembler = Assembler(PixelType::kFloat64);
  EXPECT_THAT(Append(assembler, 0, std::as_bytes(std::span(image))), StatusIs(kInvalid));
}

}  // namespace
}  // namespace nnseg
