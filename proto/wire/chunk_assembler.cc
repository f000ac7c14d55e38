#include "proto/wire/chunk_assembler.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace nnseg {

absl::StatusOr<std::span<std::byte>> ChunkAssembler::Reserve(uint64_t offset, uint64_t size) {
  if (size == 0 || size > kMaxChunkBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("chunk: got ", size, " bytes, expected 1 to ", kMaxChunkBytes));
  }
  if (offset != received_) {
    return absl::InvalidArgumentError(
        absl::StrCat("chunk: got offset ", offset, ", expected ", received_,
                     offset > received_ ? " (a gap)" : " (an overlap)"));
  }
  const std::span<std::byte> bytes = buffer().bytes();
  const uint64_t left = bytes.size() - std::min<uint64_t>(position(), bytes.size());
  if (size > left) {
    if (upload_.image.channels() == 0 && upload_.previous_labels.channels() == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "chunk: got ", size, " bytes, expected no chunk: the image is not sent here"));
    }
    const bool of_labels = at_labels() && upload_.previous_labels.channels() > 0;
    const VoxelBuffer& whole = of_labels ? upload_.previous_labels : upload_.image;
    return absl::InvalidArgumentError(
        absl::StrCat("chunk: got ", size, " bytes at offset ", offset, ", expected at most ", left,
                     of_labels ? " (the previous labels have " : " (the image has ",
                     whole.bytes().size(), " bytes)"));
  }
  reserved_ = size;
  return bytes.subspan(position(), size);
}

absl::Status ChunkAssembler::Commit() {
  const VoxelBuffer& voxels = buffer();
  const int64_t voxel = SizeOf(voxels.pixel_type());
  const int64_t begin = static_cast<int64_t>(position());
  const int64_t end = begin + static_cast<int64_t>(reserved_);
  received_ += std::exchange(reserved_, 0);
  return voxels.CheckFinite(begin / voxel, end / voxel - begin / voxel);
}

absl::StatusOr<Upload> ChunkAssembler::Finish() && {
  const uint64_t total = upload_.image.bytes().size() + upload_.previous_labels.bytes().size();
  if (received_ != total) {
    return absl::InvalidArgumentError(
        absl::StrCat("upload: got ", received_, " bytes, expected ", total));
  }
  return std::move(upload_);
}

}  // namespace nnseg
