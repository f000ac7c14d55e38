#ifndef NNSEG_CORE_INFERENCE_OPENVINO_OPENVINO_PRECISION_H_
#define NNSEG_CORE_INFERENCE_OPENVINO_OPENVINO_PRECISION_H_

#include <string>

#include "absl/status/status.h"

namespace nnseg {

/// As NetworkLoader::Supports, for OpenVINO on this processor: fp32, int8, and bf16 where the
/// processor has instructions for it. OpenVINO runs bf16 on any AVX-512 processor, but slower than
/// fp32 where they are missing.
absl::Status OpenvinoSupports(const std::string& precision);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_OPENVINO_OPENVINO_PRECISION_H_
