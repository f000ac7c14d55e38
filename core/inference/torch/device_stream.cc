#include "core/inference/torch/device_stream.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "core/base/check.h"
#include "core/base/float_environment.h"
#include "core/base/parallel_for.h"
#include "core/base/status_macros.h"
#include "core/inference/torch/torch_guard.h"

namespace nnseg {
namespace {

constexpr int64_t kPieceBytes = int64_t{16} << 20;

int64_t SizeOf(std::span<const std::byte> bytes) { return static_cast<int64_t>(bytes.size()); }

void CopyBytes(std::byte* to, const std::byte* from, int64_t count) {
  constexpr int64_t kBlock = int64_t{1} << 20;
  ParallelFor((count + kBlock - 1) / kBlock, [&](int64_t begin, int64_t end) {
    const int64_t last = std::min(end * kBlock, count);
    std::memcpy(to + begin * kBlock, from + begin * kBlock,
                static_cast<std::size_t>(last - begin * kBlock));
  });
}

// The tensor's bytes as they lie in memory.
at::Tensor BytesOf(const at::Tensor& tensor) { return tensor.view({-1}).view(at::kByte); }

}  // namespace

struct DeviceStream::Cuda {
  // A pinned buffer and the copy that it takes part in.
  struct Piece {
    at::Tensor buffer = at::empty(
        {kPieceBytes}, at::TensorOptions().dtype(at::kByte).device(at::kCPU).pinned_memory(true));
    c10::Event done{c10::kCUDA};
  };

  explicit Cuda(const TorchDevice& torch_device)
      : device(c10::kCUDA, static_cast<c10::DeviceIndex>(torch_device.index)),
        guard(c10::kCUDA),
        stream(guard.getStreamFromGlobalPool(device)) {}

  c10::DeviceAllocator& allocator() const { return *c10::getDeviceAllocator(c10::kCUDA); }

  const c10::Device device;
  const c10::impl::VirtualGuardImpl guard;
  const c10::Stream stream;
  std::array<Piece, 2> pieces;
  c10::Event last{c10::kCUDA};  // of Pace
};

DeviceStream::DeviceStream(const TorchDevice& device)
    : device_(device), cuda_(device.is_cuda ? std::make_unique<Cuda>(device) : nullptr) {}

DeviceStream::~DeviceStream() = default;

absl::StatusOr<std::shared_ptr<DeviceStream>> DeviceStream::Create(const TorchDevice& device) {
  std::shared_ptr<DeviceStream> stream;
  NNSEG_RETURN_IF_ERROR(GuardTorch([&] {
    stream.reset(new DeviceStream(device));
    return absl::OkStatus();
  }));
  return stream;
}

absl::Status DeviceStream::Run(const std::function<absl::Status()>& work) {
  const ScopedSubnormals subnormals;
  return GuardTorch([&] {
    c10::OptionalStreamGuard guard;
    if (cuda_ != nullptr) guard.reset_stream(cuda_->stream);
    return work();
  });
}

void DeviceStream::Upload(std::span<const std::byte> from, const at::Tensor& to) {
  NNSEG_CHECK(to.is_contiguous() && static_cast<int64_t>(to.nbytes()) == SizeOf(from));
  if (cuda_ == nullptr) {
    CopyBytes(static_cast<std::byte*>(to.mutable_data_ptr()), from.data(), SizeOf(from));
    return;
  }
  const at::Tensor bytes = BytesOf(to);
  for (int64_t begin = 0; begin < SizeOf(from); begin += kPieceBytes) {
    const int64_t count = std::min(kPieceBytes, SizeOf(from) - begin);
    Cuda::Piece& piece = cuda_->pieces[begin / kPieceBytes % 2];
    piece.done.synchronize();
    CopyBytes(static_cast<std::byte*>(piece.buffer.mutable_data_ptr()), from.data() + begin, count);
    bytes.narrow(0, begin, count).copy_(piece.buffer.narrow(0, 0, count), /*non_blocking=*/true);
    piece.done.record(cuda_->stream);
  }
}

void DeviceStream::Download(const at::Tensor& from, std::span<std::byte> to) {
  NNSEG_CHECK(from.is_contiguous() && static_cast<int64_t>(from.nbytes()) == SizeOf(to));
  if (cuda_ == nullptr) {
    CopyBytes(to.data(), static_cast<const std::byte*>(from.const_data_ptr()), SizeOf(to));
    return;
  }
  const at::Tensor bytes = BytesOf(from);
  const auto count = [&](int64_t begin) { return std::min(kPieceBytes, SizeOf(to) - begin); };
  // Piece after piece is sent for, and what came before is read meanwhile.
  for (int64_t begin = 0; begin < SizeOf(to) + kPieceBytes; begin += kPieceBytes) {
    if (begin < SizeOf(to)) {
      Cuda::Piece& piece = cuda_->pieces[begin / kPieceBytes % 2];
      piece.done.synchronize();
      piece.buffer.narrow(0, 0, count(begin))
          .copy_(bytes.narrow(0, begin, count(begin)), /*non_blocking=*/true);
      piece.done.record(cuda_->stream);
    }
    if (const int64_t before = begin - kPieceBytes; before >= 0) {
      Cuda::Piece& piece = cuda_->pieces[before / kPieceBytes % 2];
      piece.done.synchronize();
      CopyBytes(to.data() + before, static_cast<const std::byte*>(piece.buffer.const_data_ptr()),
                count(before));
    }
  }
}

void DeviceStream::Pace() {
  if (cuda_ == nullptr) return;
  c10::Event now{c10::kCUDA};
  now.record(cuda_->stream);
  cuda_->last.synchronize();
  cuda_->last = std::move(now);
}

void DeviceStream::Wait() {
  if (cuda_ != nullptr) cuda_->stream.synchronize();
}

void DeviceStream::ReleaseCaches() {
  if (cuda_ == nullptr) return;
  // Should even this fail, the pass that is tried again says why.
  GuardTorch([&] {
    cuda_->allocator().emptyCache();
    return absl::OkStatus();
  }).IgnoreError();
}

int64_t DeviceStream::FreeBytes() const {
  NNSEG_CHECK(cuda_ != nullptr);
  return static_cast<int64_t>(cuda_->allocator().getMemoryInfo(cuda_->device.index()).first);
}

int64_t DeviceStream::PeakBytes(const std::function<void()>& work) {
  NNSEG_CHECK(cuda_ != nullptr);
  const c10::DeviceIndex index = cuda_->device.index();
  cuda_->allocator().resetPeakStats(index);
  const int64_t before = cuda_->allocator().getDeviceStats(index).allocated_bytes[0].current;
  work();
  return cuda_->allocator().getDeviceStats(index).allocated_bytes[0].peak - before;
}

}  // namespace nnseg
