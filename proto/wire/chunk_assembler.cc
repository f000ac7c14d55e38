#include "proto/wire/chunk_assembler.h"

#include "absl/strings/str_cat.h"

namespace nnseg {

absl::StatusOr<std::span<std::byte>> ChunkAssembler::Reserve(uint64_t offset, uint64_t size) {
  const uint64_t total = voxels_.bytes().size();
  if (size == 0 || size > kMaxChunkBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("chunk: got ", size, " bytes, expected 1 to ", kMaxChunkBytes));
  }
  if (offset != received_) {
    return absl::InvalidArgumentError(
        absl::StrCat("chunk: got offset ", offset, ", expected ", received_,
                     offset > received_ ? " (a gap)" : " (an overlap)"));
  }
  if (size > total - received_) {
    return absl::InvalidArgumentError(absl::StrCat("chunk: got ", size, " bytes at offset ", offset,
                                                   ", expected at most ", total - received_,
                                                   " (the image has ", total, " bytes)"));
  }
  reserved_ = size;
  return voxels_.bytes().subspan(received_, size);
}

absl::Status ChunkAssembler::Commit() {
  const int64_t voxel = SizeOf(voxels_.pixel_type());
  const int64_t first = static_cast<int64_t>(received_) / voxel;
  received_ += reserved_;
  reserved_ = 0;
  return voxels_.CheckFinite(first, static_cast<int64_t>(received_) / voxel - first);
}

absl::StatusOr<VoxelBuffer> ChunkAssembler::Finish() && {
  const uint64_t total = voxels_.bytes().size();
  if (received_ != total) {
    return absl::InvalidArgumentError(
        absl::StrCat("upload: got ", received_, " bytes, expected ", total));
  }
  return std::move(voxels_);
}

}  // namespace nnseg
