#ifndef NNSEG_CORE_BASE_CHECK_H_
#define NNSEG_CORE_BASE_CHECK_H_

#include <cstdio>
#include <cstdlib>

/// Aborts when a programmer's promise is broken. Never used for input from outside: that gets an
/// absl::Status.
#define NNSEG_CHECK(condition)                                                           \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)

#endif  // NNSEG_CORE_BASE_CHECK_H_
