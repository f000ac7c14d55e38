#ifndef NNSEG_CORE_INFERENCE_OPENVINO_OPENVINO_PRECISION_H_
#define NNSEG_CORE_INFERENCE_OPENVINO_OPENVINO_PRECISION_H_

#include <string>

#include "absl/status/status.h"

namespace nnseg {

/// Whether the file of a network in `precision` is to be quantised.
bool IsInt8(const std::string& precision);

/// Whether a network in `precision` computes in bfloat16 what is not quantised.
bool IsBf16(const std::string& precision);

/// As NetworkLoader::Supports, for OpenVINO on this processor: fp32, and bf16, int8 and int8_bf16
/// where the processor has the instructions for them. Without, OpenVINO runs bf16 slower than fp32,
/// and sums of int8 products saturate: neither is what the exporter's gate has judged.
absl::Status OpenvinoSupports(const std::string& precision);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_OPENVINO_OPENVINO_PRECISION_H_
