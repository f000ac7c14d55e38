#ifndef NNSEG_CORE_INFERENCE_OPENVINO_OPENVINO_NETWORK_H_
#define NNSEG_CORE_INFERENCE_OPENVINO_OPENVINO_NETWORK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/inference/patch_network.h"

namespace nnseg {

/// Reads an IR file and compiles it for this CPU: fp32 throughout, one request on `threads`
/// threads. INVALID_ARGUMENT when the file is no IR or has another signature.
absl::StatusOr<std::unique_ptr<PatchNetwork>> LoadOpenvinoNetwork(const std::string& file,
                                                                  const PatchSignature& signature,
                                                                  int threads);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_OPENVINO_OPENVINO_NETWORK_H_
