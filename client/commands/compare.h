#ifndef NNSEG_CLIENT_COMMANDS_COMPARE_H_
#define NNSEG_CLIENT_COMMANDS_COMPARE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "client/exit_code.h"

namespace CLI {
class App;
}  // namespace CLI

namespace nnseg {

/// Arguments of `nnseg compare`.
struct CompareArguments {
  std::string a;
  std::string b;
  std::string picture;                   ///< empty: none
  std::optional<double> min_dice;        ///< of every label
  std::optional<int64_t> max_differing;  ///< voxels
  bool json = false;
};

/// Adds the command's arguments.
void DefineCompare(CLI::App& command, CompareArguments& arguments);

/// Prints how far two label files agree; needs no server. kDiffers when a threshold is given and
/// not met.
ExitCode RunCompare(const CompareArguments& arguments);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_COMMANDS_COMPARE_H_
