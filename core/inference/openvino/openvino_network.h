#ifndef NNSEG_CORE_INFERENCE_OPENVINO_OPENVINO_NETWORK_H_
#define NNSEG_CORE_INFERENCE_OPENVINO_OPENVINO_NETWORK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/inference/patch_network.h"

namespace nnseg {

/// Reads an IR file and compiles it for this CPU: one request on `threads` threads. In fp32 all
/// arithmetic is; in bf16 the products are and sums stay fp32; in int8, for a file of a quantised
/// network, what the file leaves unquantised is fp32, in int8_bf16 bf16. INVALID_ARGUMENT when the
/// file is no IR, has another signature, or is not quantised where it must be; FAILED_PRECONDITION
/// when OpenVINO does not grant the precision. REQUIRES: OpenvinoSupports(precision).
absl::StatusOr<std::unique_ptr<PatchNetwork>> LoadOpenvinoNetwork(const std::string& file,
                                                                  const PatchSignature& signature,
                                                                  const std::string& precision,
                                                                  int threads);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_OPENVINO_OPENVINO_NETWORK_H_
