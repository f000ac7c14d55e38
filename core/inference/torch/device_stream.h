#ifndef NNSEG_CORE_INFERENCE_TORCH_DEVICE_STREAM_H_
#define NNSEG_CORE_INFERENCE_TORCH_DEVICE_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "core/inference/torch/device.h"

namespace at {
class Tensor;
}

namespace nnseg {

/// Where one executor's work runs on its device: on CUDA a stream of its own and pinned buffers for
/// copies from and to the host, two of them, so that one is filled while the other is on its way.
/// On the CPU all is done at once. One thread at a time; tensors are seen only inside of Run.
class DeviceStream {
 public:
  /// INTERNAL or RESOURCE_EXHAUSTED with torch's text.
  static absl::StatusOr<std::shared_ptr<DeviceStream>> Create(const TorchDevice& device);
  ~DeviceStream();
  DeviceStream(const DeviceStream&) = delete;
  DeviceStream& operator=(const DeviceStream&) = delete;

  const TorchDevice& device() const { return device_; }

  /// Calls `work` with this stream as torch's current one and subnormals kept. What torch throws
  /// becomes a status, as GuardTorch says. The functions below are for use inside of `work`.
  absl::Status Run(const std::function<absl::Status()>& work);

  /// Copies to a dense tensor of as many bytes on the device. `from` is free again on return.
  void Upload(std::span<const std::byte> from, const at::Tensor& to);
  /// Copies from a dense tensor of as many bytes; waits until all is there.
  void Download(const at::Tensor& from, std::span<std::byte> to);

  /// Returns when all that was queued before the last call is done: so little is ever queued that
  /// other cases need not wait for it.
  void Pace();
  /// Returns when all that was queued is done.
  void Wait();

  /// The memory that recordings of passes share, as torch names it; they never run together.
  using GraphPool = std::pair<unsigned long long, unsigned long long>;
  GraphPool& graph_pool() { return graph_pool_; }

  /// Gives memory that torch keeps for reuse back to the device. Not only inside of Run.
  void ReleaseCaches();
  /// Bytes of the device that nobody holds, nor keeps for reuse. REQUIRES: CUDA.
  int64_t FreeBytes() const;
  /// Device bytes that `work` held at its peak beyond those held before. REQUIRES: CUDA.
  int64_t PeakBytes(const std::function<void()>& work);

 private:
  struct Cuda;
  explicit DeviceStream(const TorchDevice& device);

  const TorchDevice device_;
  std::unique_ptr<Cuda> cuda_;  // null on the CPU
  GraphPool graph_pool_{};      // zeros: none yet
};

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TORCH_DEVICE_STREAM_H_
