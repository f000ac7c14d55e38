#include "core/volume/voxel_buffer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "core/base/parallel_for.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

template <typename T>
T Load(const std::byte* data, int64_t i) {
  T value;
  std::memcpy(&value, data + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

}  // namespace

absl::StatusOr<int64_t> VoxelBytes(PixelType type, int64_t channels, const Shape3& shape) {
  int64_t bytes = SizeOf(type);
  for (const int64_t factor : {channels, shape[0], shape[1], shape[2]}) {
    if (factor < 1 || __builtin_mul_overflow(bytes, factor, &bytes)) {
      return absl::InvalidArgumentError(
          absl::StrCat("image is ", channels, " channel(s) of ", ToString(shape), " ", NameOf(type),
                       " voxels, expected sizes of at least 1 and fewer than 2^63 bytes"));
    }
  }
  return bytes;
}

absl::StatusOr<VoxelBuffer> VoxelBuffer::Allocate(PixelType type, int64_t channels,
                                                  const Shape3& shape) {
  NNSEG_ASSIGN_OR_RETURN(const int64_t bytes, VoxelBytes(type, channels, shape));
  VoxelBuffer buffer;
  buffer.type_ = type;
  buffer.channels_ = channels;
  buffer.shape_ = shape;
  buffer.size_ = static_cast<std::size_t>(bytes);
  buffer.data_.reset(static_cast<std::byte*>(AllocateVoxels(buffer.size_)));
  if (buffer.data_ == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for an image of ", bytes, " bytes"));
  }
  return buffer;
}

void VoxelBuffer::Convert(int64_t first, std::span<float> to) const {
  VisitPixelType(type_, [&](auto zero) {
    using T = decltype(zero);
    const std::byte* const from = data_.get() + first * static_cast<int64_t>(sizeof(T));
    float* const out = to.data();
    ParallelFor(static_cast<int64_t>(to.size()), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) out[i] = static_cast<float>(Load<T>(from, i));
    });
  });
}

Volume<float> VoxelBuffer::ToFloat() const {
  Volume<float> result = Volume<float>::Uninitialized(channels_, shape_);
  Convert(0, result.voxels());
  return result;
}

Volume<float> VoxelBuffer::ToFloat(int64_t channel) const {
  Volume<float> result = Volume<float>::Uninitialized(1, shape_);
  Convert(channel * shape_.voxels(), result.voxels());
  return result;
}

absl::Status VoxelBuffer::CheckFinite(int64_t first, int64_t count) const {
  return VisitPixelType(type_, [&](auto zero) -> absl::Status {
    using T = decltype(zero);
    if constexpr (std::is_floating_point_v<T>) {
      const auto finite = [&](int64_t i) {
        return std::abs(static_cast<float>(Load<T>(data_.get(), i))) <=
               std::numeric_limits<float>::max();
      };
      constexpr int64_t kBlock = int64_t{1} << 16;
      const int64_t blocks = (count + kBlock - 1) / kBlock;
      std::mutex mu;
      int64_t bad_block = blocks;  // the first
      ParallelFor(blocks, [&](int64_t begin, int64_t end) {
        for (int64_t block = begin; block < end; ++block) {
          bool all_finite = true;  // no way out of the loop, so that it runs at memory speed
          const int64_t last = first + std::min((block + 1) * kBlock, count);
          for (int64_t i = first + block * kBlock; i < last; ++i) all_finite &= finite(i);
          if (all_finite) continue;
          std::lock_guard lock(mu);
          bad_block = std::min(bad_block, block);
          return;
        }
      });
      if (bad_block == blocks) return absl::OkStatus();

      int64_t i = first + bad_block * kBlock;
      while (finite(i)) ++i;
      const int64_t voxel = i % shape_.voxels();
      return absl::InvalidArgumentError(
          absl::StrCat("voxel (z, y, x) = (", voxel / (shape_[1] * shape_[2]), ", ",
                       voxel / shape_[2] % shape_[1], ", ", voxel % shape_[2], ") of channel ",
                       i / shape_.voxels(), " is ", static_cast<float>(Load<T>(data_.get(), i)),
                       ", expected a finite value"));
    }
    return absl::OkStatus();
  });
}

}  // namespace nnseg
