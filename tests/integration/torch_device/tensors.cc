#include "tests/integration/torch_device/tensors.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstring>

namespace nnseg {
namespace {

template <typename T>
at::Tensor Copy(const Volume<T>& volume, at::ScalarType type) {
  const Shape3& shape = volume.shape();
  const at::Tensor tensor = at::empty({volume.channels(), shape[0], shape[1], shape[2]}, type);
  std::memcpy(tensor.mutable_data_ptr(), volume.voxels().data(), volume.voxels().size_bytes());
  return tensor;
}

}  // namespace

std::shared_ptr<DeviceStream> CpuStream() { return *DeviceStream::Create(TorchDevice{}); }

at::Tensor TensorOf(const Volume<Half>& volume) { return Copy(volume, at::kHalf); }
at::Tensor TensorOf(const Volume<float>& volume) { return Copy(volume, at::kFloat); }

}  // namespace nnseg
