#include "proto/wire/probability_codec.h"

#include <gmock/gmock.h>

#include <cmath>
#include <vector>

#include "proto/wire/geometry_codec.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using testing::HasSubstr;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

ProbabilityBlock Block(const Index3& begin, const Shape3& shape) {
  ProbabilityBlock block{{begin, begin + Index3{{shape[0], shape[1], shape[2]}}},
                         RandomVolume(3, shape, 5)};
  for (float& value : block.values.voxels()) value = 1 / (1 + std::exp(-value));
  return block;
}

std::vector<pb::ProbabilityChunk> Encode(const ProbabilityBlock& block, pb::ProbabilityType type,
                                         pb::LabelEncoding encoding) {
  std::vector<pb::ProbabilityChunk> chunks;
  NNSEG_EXPECT_OK(EncodeProbabilities(block, type, encoding, [&](pb::ProbabilityChunk chunk) {
    chunks.push_back(std::move(chunk));
    return absl::OkStatus();
  }));
  return chunks;
}

// Decodes and pastes all chunks, and expects the block's values within `tolerance`.
void ExpectRoundTrip(const ProbabilityBlock& block, pb::ProbabilityType type,
                     pb::LabelEncoding encoding, std::size_t expected_chunks, float tolerance) {
  const auto chunks = Encode(block, type, encoding);
  EXPECT_EQ(chunks.size(), expected_chunks);
  auto pasted = Volume<float>::Filled(3, block.box.shape(), -1);
  for (const auto& chunk : chunks) {
    const auto part = DecodeProbabilities(chunk, type, 3, block.box);
    NNSEG_ASSERT_OK(part);
    const Shape3 shape = part->box.shape();
    auto value = part->values.begin();
    for (int64_t z = 0; z < shape[0]; ++z) {
      for (int64_t y = 0; y < shape[1]; ++y) {
        for (int64_t x = 0; x < shape[2]; ++x) {
          pasted.at(part->channel, part->box.begin - block.box.begin + Index3{{z, y, x}}) =
              *value++;
        }
      }
    }
  }
  for (std::size_t i = 0; i < pasted.voxels().size(); ++i) {
    ASSERT_NEAR(pasted.voxels()[i], block.values.voxels()[i], tolerance) << i;
  }
}

TEST(ProbabilityCodec, Float32IsKeptExactly) {
  const ProbabilityBlock block = Block({{3, 4, 5}}, {{2, 3, 4}});
  ExpectRoundTrip(block, pb::PROBABILITY_TYPE_FLOAT32, pb::LABEL_ENCODING_RAW, 3, 0);
  ExpectRoundTrip(block, pb::PROBABILITY_TYPE_FLOAT32, pb::LABEL_ENCODING_ZLIB, 3, 0);
}

TEST(ProbabilityCodec, Float16IsRounded) {
  ExpectRoundTrip(Block({{0, 0, 0}}, {{2, 3, 4}}), pb::PROBABILITY_TYPE_FLOAT16,
                  pb::LABEL_ENCODING_ZLIB, 3, 0x1p-12F);
}

TEST(ProbabilityCodec, LargeBlocksAreCut) {
  // A plane of 300 x 300 floats takes 360000 bytes: 2 planes a chunk.
  ExpectRoundTrip(Block({{0, 0, 0}}, {{5, 300, 300}}), pb::PROBABILITY_TYPE_FLOAT32,
                  pb::LABEL_ENCODING_RAW, 9, 0);
}

TEST(ProbabilityCodec, RefusesWhatDoesNotFit) {
  const ProbabilityBlock block = Block({{3, 4, 5}}, {{2, 3, 4}});
  const auto chunks = Encode(block, pb::PROBABILITY_TYPE_FLOAT32, pb::LABEL_ENCODING_RAW);
  const auto decode = [&](const pb::ProbabilityChunk& chunk) {
    return DecodeProbabilities(chunk, pb::PROBABILITY_TYPE_FLOAT32, 3, block.box).status();
  };
  pb::ProbabilityChunk chunk = chunks.front();
  chunk.set_channel(3);
  EXPECT_THAT(decode(chunk), StatusIs(kInvalid, HasSubstr("got channel 3, expected one of 3")));
  chunk = chunks.front();
  chunk.mutable_data()->pop_back();
  EXPECT_THAT(decode(chunk), StatusIs(kInvalid, HasSubstr("got 95 bytes, expected 96")));
  chunk = chunks.front();
  chunk.mutable_box()->set_end(0, 9);
  EXPECT_THAT(decode(chunk), StatusIs(kInvalid));
  chunk = chunks.front();
  chunk.set_encoding(pb::LABEL_ENCODING_ZLIB);
  EXPECT_THAT(decode(chunk), StatusIs(kInvalid, HasSubstr("no zlib stream")));
}

}  // namespace
}  // namespace nnseg
