#ifndef NNSEG_CORE_INFERENCE_OPENVINO_NETWORK_LOADER_H_
#define NNSEG_CORE_INFERENCE_OPENVINO_NETWORK_LOADER_H_

#include <memory>

#include "core/inference/network_loader.h"

namespace nnseg {

/// The engine "openvino": OpenVINO IR files (.xml with the weights beside it) on the CPU in fp32,
/// and in bf16, int8 and int8_bf16 where the processor computes in them; each network with one
/// request on `threads` threads. REQUIRES: threads >= 1.
std::shared_ptr<NetworkLoader> MakeOpenvinoLoader(int threads);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_OPENVINO_NETWORK_LOADER_H_
