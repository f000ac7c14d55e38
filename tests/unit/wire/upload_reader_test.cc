#include "proto/wire/upload_reader.h"

#include <gmock/gmock.h>

#include <random>
#include <string>
#include <vector>

#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

namespace pb = ::segmentation::v1;
using testing::HasSubstr;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// The bytes in slices that end at `cuts` (ascending).
grpc::ByteBuffer Sliced(const std::string& bytes, const std::vector<std::size_t>& cuts) {
  std::vector<grpc::Slice> slices;
  std::size_t begin = 0;
  for (const std::size_t cut : cuts) {
    slices.emplace_back(bytes.data() + begin, cut - begin);
    begin = cut;
  }
  slices.emplace_back(bytes.data() + begin, bytes.size() - begin);
  return grpc::ByteBuffer(slices.data(), slices.size());
}

std::string ChunkBytes(uint64_t offset, const std::string& data) {
  pb::SegmentRequest request;
  request.mutable_chunk()->set_offset(offset);
  request.mutable_chunk()->set_data(data);
  return request.SerializeAsString();
}

absl::StatusOr<std::pair<uint64_t, std::string>> ReadChunk(grpc::ByteBuffer message) {
  auto view = ReadSegmentRequest(message);
  if (!view.ok()) return view.status();
  const auto* chunk = std::get_if<LocatedChunk>(&*view);
  if (chunk == nullptr) return absl::NotFoundError("no chunk");
  std::string data(chunk->size, '?');
  absl::Status status = CopyChunkData(message, *chunk, std::as_writable_bytes(std::span(data)));
  if (!status.ok()) return status;
  return std::pair(chunk->offset, data);
}

TEST(UploadVolumeRequestReader, ReadsHeaderAndChunk) {
  pb::UploadVolumeRequest request;
  request.mutable_header()->set_channels(3);
  grpc::ByteBuffer message = Sliced(request.SerializeAsString(), {});
  auto view = ReadUploadVolumeRequest(message);
  NNSEG_ASSERT_OK(view);
  EXPECT_EQ(std::get<pb::VolumeHeader>(*view).channels(), 3);
  request.mutable_chunk()->set_offset(7);
  request.mutable_chunk()->set_data("voxels");
  message = Sliced(request.SerializeAsString(), {3});
  view = ReadUploadVolumeRequest(message);
  NNSEG_ASSERT_OK(view);
  EXPECT_EQ(std::get<LocatedChunk>(*view).offset, 7);
  EXPECT_EQ(std::get<LocatedChunk>(*view).size, 6);
  message = Sliced("voxels", {});
  EXPECT_THAT(ReadUploadVolumeRequest(message),
              StatusIs(kInvalid, HasSubstr("UploadVolumeRequest")));
}

TEST(SegmentRequestReader, SlicesMayBeCutAnywhere) {
  const std::string data = "the voxels of a chunk, of any length";
  const std::string bytes = ChunkBytes(123456789, data);
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    for (std::size_t second = first; second <= bytes.size(); ++second) {
      EXPECT_THAT(ReadChunk(Sliced(bytes, {first, second})),
                  IsOkAndHolds(std::pair(uint64_t{123456789}, data)))
          << first << " " << second;
    }
  }
}

TEST(SegmentRequestReader, HeaderMayBeCutAnywhere) {
  pb::SegmentRequest request;
  request.mutable_header()->mutable_model()->set_name("brain");
  request.mutable_header()->mutable_geometry()->add_spacing_mm(0.25);
  const std::string bytes = request.SerializeAsString();
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    grpc::ByteBuffer message = Sliced(bytes, {cut});
    const auto view = ReadSegmentRequest(message);
    NNSEG_ASSERT_OK(view);
    EXPECT_EQ(std::get<pb::SegmentHeader>(*view).SerializeAsString(),
              request.header().SerializeAsString());
  }
}

TEST(SegmentRequestReader, FieldsMayComeInAnyOrderAndUnknownOnesAreSkipped) {
  // chunk { data: "abc", 9: varint 5, offset: 7 }, then 15: "xyz"
  const std::string chunk(
      "\x12\x03"
      "abc\x48\x05\x08\x07",
      9);
  const std::string bytes = "\x12\x09" + chunk + "\x7A\x03xyz";
  EXPECT_THAT(ReadChunk(Sliced(bytes, {})),
              IsOkAndHolds(std::pair(uint64_t{7}, std::string("abc"))));
}

TEST(SegmentRequestReader, MissingFieldsAreTheirDefaults) {
  EXPECT_THAT(ReadChunk(Sliced(std::string("\x12\x00", 2), {})),
              IsOkAndHolds(std::pair(uint64_t{0}, std::string())));
}

TEST(SegmentRequestReader, RefusesAMessageWithoutOrWithSeveralParts) {
  EXPECT_THAT(ReadChunk(Sliced("", {})), StatusIs(kInvalid, HasSubstr("neither")));
  const std::string chunk = ChunkBytes(0, "abc");
  EXPECT_THAT(ReadChunk(Sliced(chunk + chunk, {})), StatusIs(kInvalid, HasSubstr("several")));
  const std::string twice("\x12\x06\x12\x01x\x12\x01y", 8);  // two data fields
  EXPECT_THAT(ReadChunk(Sliced(twice, {})), StatusIs(kInvalid));
}

TEST(SegmentRequestReader, EveryTruncationIsRefused) {
  const std::string bytes = ChunkBytes(300, std::string(200, 'x'));
  for (std::size_t length = 1; length < bytes.size(); ++length) {
    EXPECT_THAT(ReadChunk(Sliced(bytes.substr(0, length), {length / 2})), StatusIs(kInvalid))
        << length;
  }
}

TEST(SegmentRequestReader, AgreesWithProtobufOnRandomBytes) {
  std::mt19937 random(1);
  const std::string good = ChunkBytes(70000, std::string(50, 'v'));
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = good;
    for (int change = 0; change < 2; ++change) {
      bytes[random() % 12] = static_cast<char>(random());
    }
    const std::vector<std::size_t> cuts{random() % 30, 30 + random() % 20};
    const auto ours = ReadChunk(Sliced(bytes, cuts));
    pb::SegmentRequest theirs;
    const bool parsed = theirs.ParseFromString(bytes);
    if (!ours.ok()) continue;  // ours is stricter on repetitions
    ++accepted;
    ASSERT_TRUE(parsed);
    ASSERT_TRUE(theirs.has_chunk());
    EXPECT_EQ(ours->first, theirs.chunk().offset());
    EXPECT_EQ(ours->second, theirs.chunk().data());
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace nnseg
