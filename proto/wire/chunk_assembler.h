#ifndef NNSEG_PROTO_WIRE_CHUNK_ASSEMBLER_H_
#define NNSEG_PROTO_WIRE_CHUNK_ASSEMBLER_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "core/volume/voxel_buffer.h"

namespace nnseg {

/// Largest `data` of a VoxelChunk that the server takes.
inline constexpr uint64_t kMaxChunkBytes = 4 << 20;

/// A complete upload.
struct Upload {
  VoxelBuffer image;            ///< no channels: it is not sent
  VoxelBuffer previous_labels;  ///< no channels: none were announced
};

/// Puts the chunks of an upload into its buffers: the image, then a previous stage's labels if
/// there are any. Chunks must come in order, without gaps or overlaps, and no chunk holds bytes of
/// both; each voxel is checked as soon as it is complete. One thread at a time.
class ChunkAssembler {
 public:
  ChunkAssembler() = default;
  explicit ChunkAssembler(VoxelBuffer image, VoxelBuffer previous_labels = {})
      : upload_{std::move(image), std::move(previous_labels)} {}

  /// The place of a chunk of `size` bytes that claims to lie at `offset`: the caller fills it whole
  /// and then calls Commit. INVALID_ARGUMENT for an empty or too large chunk, a gap, an overlap or
  /// an overrun.
  absl::StatusOr<std::span<std::byte>> Reserve(uint64_t offset, uint64_t size);

  /// Takes the bytes that were reserved last. INVALID_ARGUMENT if they complete a voxel that is not
  /// finite.
  absl::Status Commit();

  /// All of it. INVALID_ARGUMENT when bytes are missing.
  absl::StatusOr<Upload> Finish() &&;

  uint64_t received() const { return received_; }

 private:
  // The buffer that the next byte belongs to, and where in it.
  bool at_labels() const { return received_ >= upload_.image.bytes().size(); }
  VoxelBuffer& buffer() { return at_labels() ? upload_.previous_labels : upload_.image; }
  uint64_t position() const { return received_ - (at_labels() ? upload_.image.bytes().size() : 0); }

  Upload upload_;
  uint64_t received_ = 0;
  uint64_t reserved_ = 0;
};

}  // namespace nnseg

#endif  // NNSEG_PROTO_WIRE_CHUNK_ASSEMBLER_H_
