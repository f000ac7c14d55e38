#ifndef NNSEG_CORE_BASE_STATUS_MACROS_H_
#define NNSEG_CORE_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

/// Returns from the enclosing function when `expr` (an absl::Status) is not OK.
#define NNSEG_RETURN_IF_ERROR(expr)                               \
  do {                                                            \
    if (absl::Status nnseg_status = (expr); !nnseg_status.ok()) { \
      return nnseg_status;                                        \
    }                                                             \
  } while (false)

#define NNSEG_STATUS_CONCAT_INNER(a, b) a##b
#define NNSEG_STATUS_CONCAT(a, b) NNSEG_STATUS_CONCAT_INNER(a, b)

/// `NNSEG_ASSIGN_OR_RETURN(auto x, F());` assigns the value of a StatusOr or returns its error.
#define NNSEG_ASSIGN_OR_RETURN(lhs, expr) \
  NNSEG_ASSIGN_OR_RETURN_IMPL(NNSEG_STATUS_CONCAT(nnseg_status_or_, __LINE__), lhs, expr)

#define NNSEG_ASSIGN_OR_RETURN_IMPL(status_or, lhs, expr) \
  auto status_or = (expr);                                \
  if (!status_or.ok()) {                                  \
    return std::move(status_or).status();                 \
  }                                                       \
  lhs = *std::move(status_or)

#endif  // NNSEG_CORE_BASE_STATUS_MACROS_H_
