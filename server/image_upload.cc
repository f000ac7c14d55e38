#include "server/image_upload.h"

#include <span>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace nnseg {

void ImageUpload::Expect(VoxelBuffer image, VoxelBuffer previous_labels) {
  has_header_ = true;
  assembler_ = ChunkAssembler(std::move(image), std::move(previous_labels));
}

absl::Status ImageUpload::TakeChunk(const LocatedChunk& chunk, grpc::ByteBuffer& bytes) {
  if (!has_header_) {
    return absl::InvalidArgumentError("stream: got a chunk, expected a header first");
  }
  NNSEG_ASSIGN_OR_RETURN(const std::span<std::byte> place,
                         assembler_.Reserve(chunk.offset, chunk.size));
  NNSEG_RETURN_IF_ERROR(CopyChunkData(bytes, chunk, place));
  return assembler_.Commit();
}

absl::StatusOr<Upload> ImageUpload::Finish() {
  if (!has_header_) {
    return absl::InvalidArgumentError("stream: got no message, expected a header first");
  }
  return std::move(assembler_).Finish();
}

absl::Status ImageUpload::CheckStall(Clock::time_point now) const {
  if (now - last_message_ < stall_) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrCat("stream: got nothing for ", stall_.count(), " s, expected ",
                   has_header_ ? "a chunk or the upload's end" : "a header"));
}

}  // namespace nnseg
