#include "core/base/cancellation.h"

#include <chrono>
#include <thread>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using std::chrono::hours;

TEST(CancellationToken, IsOkUntilItIsCancelled) {
  const CancellationToken token;
  EXPECT_THAT(token.Check(), IsOk());
  token.Cancel();
  EXPECT_THAT(token.Check(), StatusIs(absl::StatusCode::kCancelled));
}

TEST(CancellationToken, CopiesShareOneState) {
  const CancellationToken token;
  const CancellationToken copy = token;
  std::thread([&] { copy.Cancel(); }).join();
  EXPECT_THAT(token.Check(), StatusIs(absl::StatusCode::kCancelled));
}

TEST(CancellationToken, StopsAtItsDeadline) {
  const CancellationToken passed(CancellationToken::Clock::now() - hours(1));
  EXPECT_THAT(passed.Check(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  const CancellationToken ahead(CancellationToken::Clock::now() + hours(1));
  EXPECT_THAT(ahead.Check(), IsOk());
}

TEST(CancellationToken, CancellationWinsOverAPassedDeadline) {
  const CancellationToken token(CancellationToken::Clock::now() - hours(1));
  token.Cancel();
  EXPECT_THAT(token.Check(), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace nnseg
