#include "proto/wire/status_codec.h"

#include <gmock/gmock.h>

#include <string>

#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

TEST(StatusCodec, EveryCodeRoundTrips) {
  for (int code = 0; code <= static_cast<int>(absl::StatusCode::kUnauthenticated); ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "text");
    EXPECT_EQ(FromGrpcStatus(ToGrpcStatus(status)), status);
    EXPECT_EQ(NameOf(status.code()), absl::StatusCodeToString(status.code()));
  }
}

TEST(StatusCodec, UnknownCodesBecomeUnknown) {
  EXPECT_THAT(FromGrpcStatus(grpc::Status(static_cast<grpc::StatusCode>(20), "text")),
              StatusIs(absl::StatusCode::kUnknown, "text"));
}

TEST(StatusCodec, LongTextIsCutAtAWholeCharacter) {
  EXPECT_EQ(ToGrpcStatus(absl::InternalError(std::string(1024, 'x'))).error_message().size(), 1024);
  EXPECT_EQ(ToGrpcStatus(absl::InternalError(std::string(5000, 'x'))).error_message().size(), 1024);
  std::string text = "x";  // shifts the two-byte characters off the limit
  while (text.size() < 2000) text += "\u00B5";
  const std::string cut = ToGrpcStatus(absl::InternalError(text)).error_message();
  EXPECT_EQ(cut.size(), 1023);
  EXPECT_EQ(cut, text.substr(0, 1023));
}

}  // namespace
}  // namespace nnseg
