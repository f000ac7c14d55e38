#ifndef NNSEG_CLIENT_EXIT_CODE_H_
#define NNSEG_CLIENT_EXIT_CODE_H_

#include "absl/status/status.h"

namespace nnseg {

/// Exit codes of the program nnseg; scripts may rely on them. kExitCodeHelp tells users the same.
enum class ExitCode {
  kOk = 0,
  kServerFailed = 1,  ///< INTERNAL, UNKNOWN, DATA_LOSS: neither the user's nor the network's fault
  kUsage = 2,         ///< wrong arguments
  kFile = 3,          ///< an input file cannot be read or an output file cannot be written
  kRefused = 4,      ///< the server will not do this: INVALID_ARGUMENT, NOT_FOUND, UNIMPLEMENTED...
  kUnavailable = 5,  ///< no server, not ready, or too busy: trying later may help
  kStopped = 6,      ///< cancelled (Ctrl-C) or past the deadline
  kDiffers = 7,      ///< compare: the label maps differ more than allowed
};

inline constexpr const char* kExitCodeHelp =
    "Exit codes: 0 done; 1 the server failed; 2 wrong arguments; 3 a file cannot be read or "
    "written; 4 the server refused the request; 5 the server is unavailable, not ready or too "
    "busy, try later; 6 cancelled or past the deadline; 7 the label maps differ more than allowed.";

/// The exit code for the status of a call.
ExitCode ExitCodeFor(absl::StatusCode code);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_EXIT_CODE_H_
