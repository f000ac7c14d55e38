#include "client/label_assembler.h"

#include <zlib.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/wire/geometry_codec.h"
#include "proto/wire/label_codec.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

const Geometry kGeometry{{5, 4, 3}, {1, 1, 2}};

/// Labels 1, 2, 3... in the box, 0 outside.
class LabelAssemblerTest : public testing::TestWithParam<LabelType> {
 protected:
  LabelAssemblerTest() : box_{{{1, 1, 0}}, {{3, 4, 3}}} {
    expected_ = {kGeometry, GetParam(), Volume<uint16_t>::Filled(1, kGeometry.shape(), 0)};
    uint16_t next = 1;
    for (int64_t z = box_.begin[0]; z < box_.end[0]; ++z) {
      for (int64_t y = box_.begin[1]; y < box_.end[1]; ++y) {
        for (int64_t x = box_.begin[2]; x < box_.end[2]; ++x) {
          expected_.labels.at(0, {{z, y, x}}) = next++;
        }
      }
    }
    *header_.mutable_geometry() = ToProto(kGeometry);
    header_.set_label_type(ToProto(GetParam()));
    *header_.mutable_labelled_box() = ToProto(box_);
  }

  pb::LabelChunk ChunkOf(const Box3& part) const {
    LabelBlock block{part, Volume<uint16_t>::Uninitialized(1, part.shape())};
    auto out = block.labels.voxels().begin();
    for (int64_t z = part.begin[0]; z < part.end[0]; ++z) {
      for (int64_t y = part.begin[1]; y < part.end[1]; ++y) {
        for (int64_t x = part.begin[2]; x < part.end[2]; ++x) {
          *out++ = expected_.labels.at(0, {{z, y, x}});
        }
      }
    }
    pb::LabelChunk only;
    NNSEG_EXPECT_OK(
        EncodeLabels(block, GetParam(), pb::LABEL_ENCODING_ZLIB, [&only](pb::LabelChunk chunk) {
          only = std::move(chunk);
          return absl::OkStatus();
        }));
    return only;
  }

  const Box3 box_;
  LabelMap expected_;
  pb::ResultHeader header_;
  LabelAssembler assembler_{kGeometry};
};

TEST_P(LabelAssemblerTest, ChunksInAnyOrderMakeTheMap) {
  NNSEG_ASSERT_OK(assembler_.Start(header_));
  NNSEG_ASSERT_OK(assembler_.Add(ChunkOf({{{2, 1, 0}}, {{3, 4, 3}}})));
  NNSEG_ASSERT_OK(assembler_.Add(ChunkOf({{{1, 1, 1}}, {{2, 4, 3}}})));
  NNSEG_ASSERT_OK(assembler_.Add(ChunkOf({{{1, 1, 0}}, {{2, 4, 1}}})));
  const auto map = std::move(assembler_).Finish(Crc32Of(expected_));
  NNSEG_ASSERT_OK(map);
  EXPECT_EQ(map->type, GetParam());
  EXPECT_EQ(map->geometry, kGeometry);
  EXPECT_TRUE(std::equal(map->labels.voxels().begin(), map->labels.voxels().end(),
                         expected_.labels.voxels().begin(), expected_.labels.voxels().end()));
}

TEST_P(LabelAssemblerTest, ProvisionalLabelsAreSkipped) {
  NNSEG_ASSERT_OK(assembler_.Start(header_));
  pb::LabelChunk early = ChunkOf({{{0, 0, 0}}, {{1, 4, 3}}});  // not even within the box
  early.set_provisional(true);
  NNSEG_ASSERT_OK(assembler_.Add(early));
  NNSEG_ASSERT_OK(assembler_.Add(ChunkOf(box_)));
  NNSEG_EXPECT_OK(std::move(assembler_).Finish(Crc32Of(expected_)));
}

TEST_P(LabelAssemblerTest, AGapIsDataLoss) {
  NNSEG_ASSERT_OK(assembler_.Start(header_));
  NNSEG_ASSERT_OK(assembler_.Add(ChunkOf({{{1, 1, 0}}, {{2, 4, 3}}})));
  EXPECT_THAT(std::move(assembler_).Finish(Crc32Of(expected_)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("9 voxels are missing")));
}

TEST_P(LabelAssemblerTest, AnOverlapIsDataLoss) {
  NNSEG_ASSERT_OK(assembler_.Start(header_));
  NNSEG_ASSERT_OK(assembler_.Add(ChunkOf({{{1, 1, 0}}, {{2, 4, 3}}})));
  EXPECT_THAT(assembler_.Add(ChunkOf({{{1, 3, 2}}, {{3, 4, 3}}})),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("overlap")));
}

TEST_P(LabelAssemblerTest, AChunkOutsideTheBoxIsDataLoss) {
  NNSEG_ASSERT_OK(assembler_.Start(header_));
  EXPECT_THAT(assembler_.Add(ChunkOf({{{0, 1, 0}}, {{1, 4, 3}}})),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_P(LabelAssemblerTest, AWrongChecksumIsDataLoss) {
  NNSEG_ASSERT_OK(assembler_.Start(header_));
  NNSEG_ASSERT_OK(assembler_.Add(ChunkOf(box_)));
  EXPECT_THAT(std::move(assembler_).Finish(Crc32Of(expected_) + 1),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("CRC-32")));
}

TEST_P(LabelAssemblerTest, LabelsBeforeTheHeaderAreDataLoss) {
  EXPECT_THAT(assembler_.Add(ChunkOf(box_)), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(std::move(assembler_).Finish(0), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_P(LabelAssemblerTest, AnotherGridIsDataLoss) {
  header_.mutable_geometry()->set_spacing_mm(2, 2.5);
  EXPECT_THAT(assembler_.Start(header_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("geometry")));
}

TEST_P(LabelAssemblerTest, AnEmptyBoxIsAllBackground) {
  *header_.mutable_labelled_box() = ToProto(Box3{});
  NNSEG_ASSERT_OK(assembler_.Start(header_));
  const LabelMap empty{kGeometry, GetParam(), Volume<uint16_t>::Filled(1, kGeometry.shape(), 0)};
  NNSEG_EXPECT_OK(std::move(assembler_).Finish(Crc32Of(empty)));
}

TEST_P(LabelAssemblerTest, ChunksCoverTheRegionsInsteadOfTheBox) {
  const Box3 first{{{1, 1, 0}}, {{2, 3, 2}}};
  const Box3 second{{{2, 2, 1}}, {{3, 4, 3}}};
  *header_.add_labelled_regions() = ToProto(first);
  *header_.add_labelled_regions() = ToProto(second);
  NNSEG_ASSERT_OK(assembler_.Start(header_));
  NNSEG_ASSERT_OK(assembler_.Add(ChunkOf(second)));
  EXPECT_THAT(assembler_.Add(ChunkOf(second)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("overlap")));
  // Within the labelled box, but in no region or in more than one.
  EXPECT_THAT(assembler_.Add(ChunkOf({{{2, 1, 0}}, {{3, 2, 1}}})),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("expected within")));
  EXPECT_THAT(assembler_.Add(ChunkOf({{{1, 1, 0}}, {{3, 3, 2}}})),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("expected within")));
  NNSEG_ASSERT_OK(assembler_.Add(ChunkOf(first)));
  LabelMap expected{kGeometry, GetParam(), Volume<uint16_t>::Filled(1, kGeometry.shape(), 0)};
  for (const Box3& box : {first, second}) {
    for (int64_t z = box.begin[0]; z < box.end[0]; ++z) {
      for (int64_t y = box.begin[1]; y < box.end[1]; ++y) {
        for (int64_t x = box.begin[2]; x < box.end[2]; ++x) {
          expected.labels.at(0, {{z, y, x}}) = expected_.labels.at(0, {{z, y, x}});
        }
      }
    }
  }
  NNSEG_EXPECT_OK(std::move(assembler_).Finish(Crc32Of(expected)));
}

TEST_P(LabelAssemblerTest, RegionsThatOverlapOrLeaveTheBoxAreRefused) {
  *header_.add_labelled_regions() = ToProto(Box3{{{1, 1, 0}}, {{2, 3, 2}}});
  pb::ResultHeader overlapping = header_;
  *overlapping.add_labelled_regions() = ToProto(Box3{{{1, 2, 1}}, {{2, 4, 3}}});
  EXPECT_THAT(LabelAssembler(kGeometry).Start(overlapping),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("overlap")));
  *header_.add_labelled_regions() = ToProto(Box3{{{0, 1, 0}}, {{1, 2, 1}}});
  EXPECT_THAT(assembler_.Start(header_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("expected within")));
}

INSTANTIATE_TEST_SUITE_P(Types, LabelAssemblerTest,
                         testing::Values(LabelType::kUint8, LabelType::kUint16),
                         [](const auto& info) {
                           return info.param == LabelType::kUint8 ? "uint8" : "uint16";
                         });

TEST(Crc32Of, IsZlibsOfThePlainBytes) {
  const LabelMap map{
      {{3, 1, 1}}, LabelType::kUint16, Volume<uint16_t>::Filled(1, {{1, 1, 3}}, 258)};
  const unsigned char bytes[] = {2, 1, 2, 1, 2, 1};
  EXPECT_EQ(Crc32Of(map), crc32(0, bytes, sizeof bytes));
}

}  // namespace
}  // namespace nnseg
