#include "proto/wire/geometry_codec.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::HasSubstr;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

Geometry Oblique() {
  return {.size = {5, 6, 7},
          .spacing_mm = {0.5, 0.75, 3.0},
          .origin_mm = {-10, 20.5, 1e3},
          .direction = {0, 1, 0, -1, 0, 0, 0, 0, 1}};
}

TEST(GeometryCodec, RoundTripKeepsEveryBit) {
  const Geometry geometry = Oblique();
  EXPECT_THAT(FromProto(ToProto(geometry)), IsOkAndHolds(geometry));
}

TEST(GeometryCodec, OriginAndDirectionMayBeLeftOut) {
  pb::Geometry message = ToProto(Oblique());
  message.clear_origin_mm();
  message.clear_direction();
  const auto geometry = FromProto(message);
  NNSEG_ASSERT_OK(geometry);
  EXPECT_EQ(geometry->origin_mm, Geometry().origin_mm);
  EXPECT_EQ(geometry->direction, Geometry().direction);
}

TEST(GeometryCodec, NamesTheFieldWithTheWrongNumberOfValues) {
  pb::Geometry message = ToProto(Oblique());
  message.add_size(1);
  EXPECT_THAT(FromProto(message), StatusIs(kInvalid, "geometry.size: got 4 values, expected 3"));
  message = ToProto(Oblique());
  message.clear_spacing_mm();
  EXPECT_THAT(FromProto(message), StatusIs(kInvalid, HasSubstr("geometry.spacing_mm: got 0")));
  message = ToProto(Oblique());
  message.mutable_direction()->RemoveLast();
  EXPECT_THAT(FromProto(message), StatusIs(kInvalid, HasSubstr("geometry.direction: got 8")));
}

TEST(GeometryCodec, RefusesHostileNumbers) {
  for (const int64_t size :
       {int64_t{0}, int64_t{-1}, int64_t{16385}, int64_t{1} << 31, (int64_t{1} << 32) + 1,
        std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}) {
    pb::Geometry message = ToProto(Oblique());
    message.set_size(1, size);
    EXPECT_THAT(FromProto(message), StatusIs(kInvalid)) << size;
  }
  for (const double spacing : {0.0, -1.0, 1e-9, 1e9, std::nan(""), HUGE_VAL}) {
    pb::Geometry message = ToProto(Oblique());
    message.set_spacing_mm(2, spacing);
    EXPECT_THAT(FromProto(message), StatusIs(kInvalid)) << spacing;
  }
}

TEST(GeometryCodec, EveryPixelTypeRoundTrips) {
  for (const PixelType type :
       {PixelType::kInt8, PixelType::kUint8, PixelType::kInt16, PixelType::kUint16,
        PixelType::kInt32, PixelType::kUint32, PixelType::kFloat32, PixelType::kFloat64}) {
    EXPECT_THAT(FromProto(ToProto(type)), IsOkAndHolds(type));
  }
  EXPECT_THAT(FromProto(pb::PIXEL_TYPE_UNSPECIFIED), StatusIs(kInvalid, HasSubstr("got 0")));
  EXPECT_THAT(FromProto(static_cast<pb::PixelType>(99)), StatusIs(kInvalid, HasSubstr("got 99")));
}

TEST(GeometryCodec, BoxMustLieWithinItsBounds) {
  const Box3 bounds{{{1, 2, 3}}, {{4, 6, 9}}};
  EXPECT_THAT(FromProto(ToProto(bounds), bounds), IsOkAndHolds(bounds));
  const Box3 empty{{{2, 2, 3}}, {{2, 6, 9}}};
  EXPECT_THAT(FromProto(ToProto(empty), bounds), IsOkAndHolds(empty));
  for (const Box3& box : {Box3{{{0, 2, 3}}, {{4, 6, 9}}}, Box3{{{1, 2, 3}}, {{4, 6, 10}}},
                          Box3{{{3, 2, 3}}, {{2, 6, 9}}},
                          Box3{{{std::numeric_limits<int64_t>::min(), 2, 3}}, {{4, 6, 9}}}}) {
    EXPECT_THAT(FromProto(ToProto(box), bounds), StatusIs(kInvalid, HasSubstr("array axis")));
  }
}

}  // namespace
}  // namespace nnseg
