#ifndef NNSEG_CLIENT_IO_CHANNEL_STACK_H_
#define NNSEG_CLIENT_IO_CHANNEL_STACK_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/io/image.h"

namespace nnseg {

/// Reads the files of a case one by one by `read` and stacks their channels in the order given.
/// They keep their number type when they share it, else all become float32. Geometry and grid are
/// the first file's. INVALID_ARGUMENT when a file's size or spacing differs from the first one's; a
/// warning when only its place in the world does. REQUIRES: at least one path.
absl::StatusOr<Image> ReadAndStack(
    const std::vector<std::string>& paths,
    const std::function<absl::StatusOr<Image>(const std::string&)>& read);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_CHANNEL_STACK_H_
