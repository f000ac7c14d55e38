#ifndef NNSEG_CORE_INFERENCE_PASS_BUFFERS_H_
#define NNSEG_CORE_INFERENCE_PASS_BUFFERS_H_

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/inference/patch_network.h"

namespace nnseg {

/// INTERNAL, naming got and expected, unless the buffers of a forward pass have the sizes of
/// `signature`: what every engine checks before it reads or writes them.
inline absl::Status CheckPassBuffers(const PatchSignature& signature, std::span<const float> input,
                                     std::span<const float> output) {
  if (static_cast<int64_t>(input.size()) == signature.input_size() &&
      static_cast<int64_t>(output.size()) == signature.output_size()) {
    return absl::OkStatus();
  }
  return absl::InternalError(absl::StrCat("a pass got ", input.size(), " and ", output.size(),
                                          " values, expected ", signature.input_size(), " and ",
                                          signature.output_size()));
}

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_PASS_BUFFERS_H_
