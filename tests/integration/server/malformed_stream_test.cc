#include <cmath>
#include <cstring>
#include <limits>

#include "tests/integration/server/server_fixture.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::HasSubstr;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// The documented limit; sanitizers and a busy machine are given more.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::chrono::milliseconds kAnswerTime(2000);
#else
constexpr std::chrono::milliseconds kAnswerTime(50);
#endif

class MalformedStreamTest : public ServerFixture {
 protected:
  void SetUp() override {
    StartServer("limits { memory_bytes: 1000000000 }");
    NNSEG_ASSERT_OK(Segment().status);  // connects, warms up
  }

  // The server still serves, and nobody holds a place.
  void TearDown() override {
    EXPECT_TRUE(WaitFor([&] { return server_->admission().places_in_use() == 0; }));
    NNSEG_EXPECT_OK(Segment().status);
  }

  // The status of a stream that `play` brings to its mistake; the best of three tries must be in
  // time.
  absl::Status StatusAfter(const std::function<void(SegmentCall&)>& play) {
    auto best = std::chrono::steady_clock::duration::max();
    absl::Status status;
    for (int i = 0; i < 3; ++i) {
      SegmentCall call(stub());
      play(call);
      const auto start = std::chrono::steady_clock::now();
      status = call.Finish().status;
      best = std::min(best, std::chrono::steady_clock::now() - start);
    }
    EXPECT_LE(best, kAnswerTime);
    return status;
  }

  absl::Status StatusOfHeader(const std::function<void(pb::SegmentHeader&)>& change) {
    return StatusAfter([&](SegmentCall& call) {
      pb::SegmentHeader header = Header();
      change(header);
      call.Send(header);
    });
  }
};

TEST_F(MalformedStreamTest, NoMessageAtAll) {
  EXPECT_THAT(StatusAfter([](SegmentCall& call) { call.CloseSending(); }),
              StatusIs(kInvalid, "stream: got no message, expected a header first"));
}

TEST_F(MalformedStreamTest, ChunkBeforeTheHeader) {
  EXPECT_THAT(StatusAfter([](SegmentCall& call) { call.Send(0, "voxels"); }),
              StatusIs(kInvalid, "stream: got a chunk, expected a header first"));
}

TEST_F(MalformedStreamTest, SecondHeader) {
  EXPECT_THAT(StatusAfter([](SegmentCall& call) {
                call.Send(Header());
                call.Send(Header());
              }),
              StatusIs(kInvalid, "stream: got a second header, expected a chunk"));
}

TEST_F(MalformedStreamTest, MessageWithoutContent) {
  EXPECT_THAT(StatusAfter([](SegmentCall& call) { call.Send(pb::SegmentRequest()); }),
              StatusIs(kInvalid, HasSubstr("neither a header nor a chunk")));
}

TEST_F(MalformedStreamTest, Gap) {
  EXPECT_THAT(StatusAfter([](SegmentCall& call) {
                call.Send(Header());
                call.Send(0, "voxels");
                call.Send(7, "voxels");
              }),
              StatusIs(kInvalid, "chunk: got offset 7, expected 6 (a gap)"));
}

TEST_F(MalformedStreamTest, Overlap) {
  EXPECT_THAT(StatusAfter([](SegmentCall& call) {
                call.Send(Header());
                call.Send(0, "voxels");
                call.Send(5, "voxels");
              }),
              StatusIs(kInvalid, "chunk: got offset 5, expected 6 (an overlap)"));
}

TEST_F(MalformedStreamTest, Overrun) {
  EXPECT_THAT(StatusAfter([](SegmentCall& call) {
                call.Send(Header());
                call.SendVoxels(ImageBytes());
                call.Send(6720, "more");
              }),
              StatusIs(kInvalid, HasSubstr("got 4 bytes at offset 6720, expected at most 0")));
}

TEST_F(MalformedStreamTest, ShortUpload) {
  EXPECT_THAT(StatusAfter([](SegmentCall& call) {
                call.Send(Header());
                const std::vector<std::byte> image = ImageBytes();
                call.SendVoxels(std::span(image).first(6719));
                call.CloseSending();
              }),
              StatusIs(kInvalid, "upload: got 6719 bytes, expected 6720"));
}

TEST_F(MalformedStreamTest, EmptyChunk) {
  EXPECT_THAT(StatusAfter([](SegmentCall& call) {
                call.Send(Header());
                call.Send(0, "");
              }),
              StatusIs(kInvalid, HasSubstr("chunk: got 0 bytes")));
}

TEST_F(MalformedStreamTest, WrongPixelType) {
  EXPECT_THAT(StatusOfHeader([](auto& header) { header.clear_pixel_type(); }),
              StatusIs(kInvalid, HasSubstr("pixel_type: got 0")));
  EXPECT_THAT(
      StatusOfHeader([](auto& header) { header.set_pixel_type(static_cast<pb::PixelType>(42)); }),
      StatusIs(kInvalid, HasSubstr("pixel_type: got 42")));
}

TEST_F(MalformedStreamTest, SpacingThatIsNotPositive) {
  for (const double spacing : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    EXPECT_THAT(StatusOfHeader(
                    [&](auto& header) { header.mutable_geometry()->set_spacing_mm(1, spacing); }),
                StatusIs(kInvalid, HasSubstr("spacing")))
        << spacing;
  }
}

TEST_F(MalformedStreamTest, VoxelThatIsNotFinite) {
  EXPECT_THAT(StatusAfter([](SegmentCall& call) {
                std::vector<std::byte> image = ImageBytes();
                const float infinite = HUGE_VALF;
                std::memcpy(image.data() + 4 * 130, &infinite, 4);
                call.Send(Header());
                call.SendVoxels(image);
                call.CloseSending();
              }),
              StatusIs(kInvalid, HasSubstr("voxel (z, y, x) = (1, 1, 0) of channel 0 is inf")));
}

TEST_F(MalformedStreamTest, SizesOutOfRange) {
  for (const int64_t size : {int64_t{0}, int64_t{-5}, int64_t{1} << 31, (int64_t{1} << 32) + 1,
                             std::numeric_limits<int64_t>::max()}) {
    EXPECT_THAT(StatusOfHeader([&](auto& header) { header.mutable_geometry()->set_size(2, size); }),
                StatusIs(kInvalid, HasSubstr("size")))
        << size;
  }
}

TEST_F(MalformedStreamTest, ImageOfFourTeravoxelsIsRefusedWithoutMemory) {
  const int64_t before = ResidentBytes();
  const absl::Status status = StatusOfHeader([](auto& header) {
    for (int axis = 0; axis < 3; ++axis) header.mutable_geometry()->set_size(axis, 16384);
  });
  EXPECT_THAT(status.code(), testing::AnyOf(kInvalid, absl::StatusCode::kResourceExhausted));
  EXPECT_LT(ResidentBytes() - before, 8 << 20);
}

TEST_F(MalformedStreamTest, ImageBeyondTheBudgetIsTooLarge) {
  EXPECT_THAT(StatusOfHeader([](auto& header) {
                for (int axis = 0; axis < 3; ++axis) header.mutable_geometry()->set_size(axis, 600);
                header.set_pixel_type(pb::PIXEL_TYPE_FLOAT64);
              }),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("too large")));
}

TEST_F(MalformedStreamTest, WrongChannelCount) {
  EXPECT_THAT(StatusOfHeader([](auto& header) { header.set_channels(3); }),
              StatusIs(kInvalid, "channels: got 3, expected 1"));
}

TEST_F(MalformedStreamTest, UnknownModelOrVersion) {
  for (const std::string& name :
       {std::string(), std::string("other"), std::string("../tiny"), std::string("tiny/1"),
        std::string("tiny\0x", 6), std::string("%2e%2e"), std::string(100000, 'x')}) {
    const absl::Status status =
        StatusOfHeader([&](auto& header) { header.mutable_model()->set_name(name); });
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound));
    EXPECT_LE(status.message().size(), 1024);
    EXPECT_THAT(std::string(status.message()), testing::Not(HasSubstr(folder_.path().string())));
  }
  EXPECT_THAT(StatusOfHeader([](auto& header) { header.mutable_model()->set_version(7); }),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(MalformedStreamTest, MessageLargerThanTheLimit) {
  EXPECT_THAT(StatusAfter([](SegmentCall& call) {
                call.Send(Header());
                call.Send(0, std::string((4 << 20) + (65 << 10), 'x'));
              }),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(MalformedStreamTest, HundredBadStreamsLeaveNoMemoryBehind) {
  const auto bad_streams = [&](int count) {
    for (int i = 0; i < count; ++i) {
      SegmentCall call(stub());
      call.Send(Header());
      call.Send(0, std::string(5000, '\0'));
      call.Send(i, "voxels");
      EXPECT_THAT(call.Finish().status, StatusIs(kInvalid));
    }
  };
  bad_streams(50);  // arenas and pools grow to their size
  const int64_t before = ResidentBytes();
  bad_streams(100);
  EXPECT_LT(ResidentBytes() - before, 16 << 20);
}

}  // namespace
}  // namespace nnseg
