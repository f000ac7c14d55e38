#ifndef NNSEG_TESTS_INTEGRATION_TORCH_DEVICE_TENSORS_H_
#define NNSEG_TESTS_INTEGRATION_TORCH_DEVICE_TENSORS_H_

#include <memory>
#include <string>

#include "core/inference/torch/device_stream.h"
#include "core/volume/half.h"
#include "core/volume/volume.h"

/// Ends a test as skipped where there is no device under test.
#define NNSEG_SKIP_WITHOUT_DEVICE()          \
  if (nnseg::DeviceUnderTest() == nullptr) { \
    GTEST_SKIP() << "no CUDA device";        \
  }

namespace nnseg {

/// "cpu", or "cuda:0" in the suite that is built for GPUs.
std::string NameOfDeviceUnderTest();
/// Its stream; null when this host has no such device.
std::shared_ptr<DeviceStream> DeviceUnderTest();

/// A copy on the device under test: channels x shape. Inside of DeviceStream::Run.
at::Tensor TensorOf(const Volume<Half>& volume);
at::Tensor TensorOf(const Volume<float>& volume);

}  // namespace nnseg

#endif  // NNSEG_TESTS_INTEGRATION_TORCH_DEVICE_TENSORS_H_
