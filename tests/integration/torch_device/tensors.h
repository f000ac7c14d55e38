#ifndef NNSEG_TESTS_INTEGRATION_TORCH_DEVICE_TENSORS_H_
#define NNSEG_TESTS_INTEGRATION_TORCH_DEVICE_TENSORS_H_

#include <memory>

#include "core/inference/torch/device_stream.h"
#include "core/volume/half.h"
#include "core/volume/volume.h"

namespace nnseg {

/// The CPU as a device.
std::shared_ptr<DeviceStream> CpuStream();

/// A copy: channels x shape.
at::Tensor TensorOf(const Volume<Half>& volume);
at::Tensor TensorOf(const Volume<float>& volume);

}  // namespace nnseg

#endif  // NNSEG_TESTS_INTEGRATION_TORCH_DEVICE_TENSORS_H_
