#ifndef NNSEG_CORE_INFERENCE_TORCH_TORCH_WINDOW_H_
#define NNSEG_CORE_INFERENCE_TORCH_TORCH_WINDOW_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "core/inference/torch/device_stream.h"
#include "core/inference/torch/script_forward.h"
#include "core/inference/volume_window.h"

namespace nnseg {

/// Opens a window for the request's folds, whose networks on `stream` are `forwards`: uploads the
/// image and allocates the sums. Passes run in batches of `max_batch` or one by one. For the
/// device's thread. RESOURCE_EXHAUSTED when the device has not the memory.
absl::StatusOr<std::unique_ptr<VolumeWindow>> OpenTorchWindow(const WindowRequest& request,
                                                              std::vector<ScriptForward*> forwards,
                                                              std::shared_ptr<DeviceStream> stream,
                                                              int64_t max_batch);

/// Device bytes that such a window of networks with `signature` holds at its peak, beside what the
/// passes themselves take.
int64_t TorchWindowBytes(const PatchSignature& signature, const WindowShape& shape,
                         int64_t max_batch);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TORCH_TORCH_WINDOW_H_
