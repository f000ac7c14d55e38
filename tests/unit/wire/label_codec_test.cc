#include "proto/wire/label_codec.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "proto/wire/chunk_payload.h"
#include "proto/wire/geometry_codec.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using testing::HasSubstr;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

LabelBlock Block(const Index3& begin, const Shape3& shape, int modulus) {
  LabelBlock block{{begin, begin + Index3{{shape[0], shape[1], shape[2]}}},
                   CountingVolume<uint16_t>(1, shape)};
  for (uint16_t& label : block.labels.voxels()) label = static_cast<uint16_t>(label % modulus);
  return block;
}

std::vector<pb::LabelChunk> Encode(const LabelBlock& block, LabelType type,
                                   pb::LabelEncoding encoding) {
  std::vector<pb::LabelChunk> chunks;
  NNSEG_EXPECT_OK(EncodeLabels(block, type, encoding, [&](pb::LabelChunk chunk) {
    chunks.push_back(std::move(chunk));
    return absl::OkStatus();
  }));
  return chunks;
}

// Decodes and pastes all chunks, and expects the block.
void ExpectRoundTrip(const LabelBlock& block, LabelType type, pb::LabelEncoding encoding,
                     std::size_t expected_chunks) {
  const auto chunks = Encode(block, type, encoding);
  EXPECT_EQ(chunks.size(), expected_chunks);
  auto pasted = Volume<uint16_t>::Filled(1, block.box.shape(), 0xFFFF);
  for (const auto& chunk : chunks) {
    const auto part = DecodeLabels(chunk, type, block.box);
    NNSEG_ASSERT_OK(part);
    EXPECT_LE(part->labels.size() * SizeOf(type), kMaxPayloadBytes);
    const Shape3 shape = part->box.shape();
    for (int64_t z = 0; z < shape[0]; ++z) {
      for (int64_t y = 0; y < shape[1]; ++y) {
        for (int64_t x = 0; x < shape[2]; ++x) {
          pasted.at(0, part->box.begin - block.box.begin + Index3{{z, y, x}}) =
              part->labels.at(0, {{z, y, x}});
        }
      }
    }
  }
  EXPECT_EQ(CountDifferent<uint16_t>(pasted.voxels(), block.labels.voxels()), 0);
}

TEST(LabelCodec, SmallBlockIsOneChunk) {
  const LabelBlock block = Block({{3, 4, 5}}, {{2, 3, 4}}, 7);
  ExpectRoundTrip(block, LabelType::kUint8, pb::LABEL_ENCODING_RAW, 1);
  ExpectRoundTrip(block, LabelType::kUint8, pb::LABEL_ENCODING_ZLIB, 1);
}

TEST(LabelCodec, LargeBlockIsCutIntoPlanes) {
  // 300 x 300 labels take 90000 bytes: 11 planes a chunk.
  ExpectRoundTrip(Block({{0, 0, 0}}, {{25, 300, 300}}, 251), LabelType::kUint8,
                  pb::LABEL_ENCODING_ZLIB, 3);
}

TEST(LabelCodec, LargePlaneIsCutIntoRows) {
  // Rows of 2048 bytes: 512 of them a chunk.
  ExpectRoundTrip(Block({{1, 2, 3}}, {{2, 1025, 1024}}, 40000), LabelType::kUint16,
                  pb::LABEL_ENCODING_RAW, 6);
}

TEST(LabelCodec, WideLabelsKeepBothBytes) {
  ExpectRoundTrip(Block({{0, 0, 0}}, {{1, 300, 200}}, 60000), LabelType::kUint16,
                  pb::LABEL_ENCODING_ZLIB, 1);
}

TEST(LabelCodec, EmptyBlockSendsNothing) {
  EXPECT_TRUE(Encode(Block({{0, 0, 0}}, {{0, 3, 4}}, 7), LabelType::kUint8, pb::LABEL_ENCODING_RAW)
                  .empty());
}

TEST(LabelCodec, SinkErrorStopsTheEncoding) {
  int calls = 0;
  EXPECT_THAT(EncodeLabels(Block({{0, 0, 0}}, {{25, 300, 300}}, 251), LabelType::kUint8,
                           pb::LABEL_ENCODING_RAW,
                           [&](pb::LabelChunk) {
                             ++calls;
                             return absl::CancelledError("enough");
                           }),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(calls, 1);
}

TEST(LabelCodec, RefusesABombWithoutUnpackingIt) {
  // 64 MiB of zeros shrink to 64 KiB; the box says 24 labels.
  const std::string zeros(64 << 20, '\0');
  std::string packed(compressBound(zeros.size()), '\0');
  uLongf size = packed.size();
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                     reinterpret_cast<const Bytef*>(zeros.data()), zeros.size()),
            Z_OK);
  pb::LabelChunk chunk =
      Encode(Block({{0, 0, 0}}, {{2, 3, 4}}, 7), LabelType::kUint8, pb::LABEL_ENCODING_ZLIB)[0];
  chunk.set_data(packed.substr(0, size));
  EXPECT_THAT(DecodeLabels(chunk, LabelType::kUint8, Box3::Whole({{2, 3, 4}})),
              StatusIs(kInvalid, HasSubstr("no zlib stream of the 24 bytes")));
}

TEST(LabelCodec, RefusesDataThatIsNotTheBox) {
  const Box3 whole = Box3::Whole({{2, 3, 4}});
  const auto chunk = [&](pb::LabelEncoding encoding) {
    return Encode(Block({{0, 0, 0}}, {{2, 3, 4}}, 7), LabelType::kUint8, encoding)[0];
  };
  pb::LabelChunk bad = chunk(pb::LABEL_ENCODING_RAW);
  bad.mutable_data()->pop_back();
  EXPECT_THAT(DecodeLabels(bad, LabelType::kUint8, whole),
              StatusIs(kInvalid, "label chunk: got 23 bytes, expected 24"));
  bad = chunk(pb::LABEL_ENCODING_ZLIB);
  bad.mutable_data()->append("more");
  EXPECT_THAT(DecodeLabels(bad, LabelType::kUint8, whole), StatusIs(kInvalid));
  bad = chunk(pb::LABEL_ENCODING_ZLIB);
  bad.mutable_data()->resize(bad.data().size() / 2);
  EXPECT_THAT(DecodeLabels(bad, LabelType::kUint8, whole), StatusIs(kInvalid));
  bad = chunk(pb::LABEL_ENCODING_RAW);
  bad.set_encoding(static_cast<pb::LabelEncoding>(9));
  EXPECT_THAT(DecodeLabels(bad, LabelType::kUint8, whole),
              StatusIs(kInvalid, HasSubstr("got encoding 9")));
  bad = chunk(pb::LABEL_ENCODING_RAW);
  EXPECT_THAT(DecodeLabels(bad, LabelType::kUint8, Box3::Whole({{1, 3, 4}})), StatusIs(kInvalid));
}

TEST(LabelCodec, RefusesABoxLargerThanAChunkMayBe) {
  pb::LabelChunk chunk;
  const Shape3 shape{{16384, 16384, 16384}};
  *chunk.mutable_box() = ToProto(Box3::Whole(shape));
  chunk.set_encoding(pb::LABEL_ENCODING_ZLIB);
  EXPECT_THAT(DecodeLabels(chunk, LabelType::kUint16, Box3::Whole(shape)),
              StatusIs(kInvalid, HasSubstr("expected at most 1048576")));
}

}  // namespace
}  // namespace nnseg
