#ifndef NNSEG_CORE_INFERENCE_TORCH_TORCH_GUARD_H_
#define NNSEG_CORE_INFERENCE_TORCH_TORCH_GUARD_H_

#include <functional>

#include "absl/status/status.h"

namespace nnseg {

/// Runs `work`, the only way in which this folder calls torch, and turns what it throws into a
/// status: RESOURCE_EXHAUSTED when memory is short, else INTERNAL with one line of torch's text.
absl::Status GuardTorch(const std::function<absl::Status()>& work);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TORCH_TORCH_GUARD_H_
