#include "core/base/status_macros.h"

#include <memory>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

absl::StatusOr<std::unique_ptr<int>> Make(bool succeed) {
  if (!succeed) return absl::NotFoundError("none");
  return std::make_unique<int>(7);
}

absl::StatusOr<int> Use(bool succeed, int* reached) {
  NNSEG_ASSIGN_OR_RETURN(const std::unique_ptr<int> value, Make(succeed));
  ++*reached;
  return *value;
}

absl::Status Pass(absl::Status status, int* reached) {
  NNSEG_RETURN_IF_ERROR(status);
  ++*reached;
  return absl::OkStatus();
}

TEST(StatusMacros, AssignTakesTheValueOfSuccess) {
  int reached = 0;
  EXPECT_THAT(Use(true, &reached), IsOkAndHolds(7));
  EXPECT_EQ(reached, 1);
}

TEST(StatusMacros, ErrorsReturnAtOnceAndUnchanged) {
  int reached = 0;
  EXPECT_THAT(Use(false, &reached), StatusIs(absl::StatusCode::kNotFound, "none"));
  EXPECT_THAT(Pass(absl::AbortedError("stop"), &reached),
              StatusIs(absl::StatusCode::kAborted, "stop"));
  EXPECT_EQ(reached, 0);
  EXPECT_THAT(Pass(absl::OkStatus(), &reached), IsOk());
  EXPECT_EQ(reached, 1);
}

}  // namespace
}  // namespace nnseg
