#ifndef NNSEG_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define NNSEG_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"

namespace nnseg {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

/// Matches an OK Status or StatusOr.
MATCHER(IsOk, negation ? "is an error" : "is OK") {
  const absl::Status& status = StatusOf(arg);
  *result_listener << "whose status is " << status.ToString();
  return status.ok();
}

/// Matches a Status or StatusOr with this code and a message that matches.
MATCHER_P2(StatusIs, code, message,
           "has code " + absl::StatusCodeToString(code) + " and a message that " +
               testing::DescribeMatcher<std::string>(message, negation)) {
  const absl::Status& status = StatusOf(arg);
  *result_listener << "whose status is " << status.ToString();
  return status.code() == code &&
         testing::ExplainMatchResult(message, std::string(status.message()), result_listener);
}
inline auto StatusIs(absl::StatusCode code) { return StatusIs(code, testing::_); }

/// Matches an OK StatusOr whose value matches.
MATCHER_P(IsOkAndHolds, value,
          negation ? "is an error or holds another value" : "is OK and holds") {
  if (!arg.ok()) {
    *result_listener << "whose status is " << arg.status().ToString();
    return false;
  }
  return testing::ExplainMatchResult(value, *arg, result_listener);
}

}  // namespace nnseg

#define NNSEG_ASSERT_OK(expr) ASSERT_THAT((expr), ::nnseg::IsOk())
#define NNSEG_EXPECT_OK(expr) EXPECT_THAT((expr), ::nnseg::IsOk())

#endif  // NNSEG_TESTS_SUPPORT_STATUS_MATCHERS_H_
