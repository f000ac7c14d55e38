#include "tests/integration/torch_device/tensors.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

namespace nnseg {
namespace {

template <typename T>
at::Tensor Copy(const Volume<T>& volume, at::ScalarType type) {
  const Shape3& shape = volume.shape();
  const at::Tensor tensor =
      at::empty({volume.channels(), shape[0], shape[1], shape[2]},
                at::TensorOptions().dtype(type).device(NameOfDeviceUnderTest()));
  DeviceUnderTest()->Upload(std::as_bytes(volume.voxels()), tensor);
  return tensor;
}

}  // namespace

std::shared_ptr<DeviceStream> DeviceUnderTest() {
  static const std::shared_ptr<DeviceStream> stream = []() -> std::shared_ptr<DeviceStream> {
    const auto device = ParseTorchDevice(NameOfDeviceUnderTest());
    return device.ok() ? DeviceStream::Create(*device).value() : nullptr;
  }();
  return stream;
}

at::Tensor TensorOf(const Volume<Half>& volume) { return Copy(volume, at::kHalf); }
at::Tensor TensorOf(const Volume<float>& volume) { return Copy(volume, at::kFloat); }

}  // namespace nnseg
