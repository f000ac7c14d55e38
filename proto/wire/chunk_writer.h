#ifndef NNSEG_PROTO_WIRE_CHUNK_WRITER_H_
#define NNSEG_PROTO_WIRE_CHUNK_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "segmentation/v1/volume.pb.h"

namespace nnseg {

/// Size of the chunks that a client sends: the fastest over loopback in the plain and the raw API.
inline constexpr std::size_t kDefaultChunkBytes = 1 << 20;

/// Cuts an image's bytes, or the labels that follow it, into the chunk messages of an upload, in
/// order. Does not own the bytes.
class ChunkWriter {
 public:
  /// `first_offset` is the upload's offset of the first byte: 0 for the image, the image's size for
  /// labels. REQUIRES: 0 < chunk_bytes <= kMaxChunkBytes.
  explicit ChunkWriter(std::span<const std::byte> bytes,
                       std::size_t chunk_bytes = kDefaultChunkBytes, uint64_t first_offset = 0)
      : bytes_(bytes), chunk_bytes_(chunk_bytes), first_offset_(first_offset) {}

  /// Sets `chunk` to the next one; false, with `chunk` untouched, after the last one.
  bool Next(::segmentation::v1::VoxelChunk& chunk);

  /// Bytes handed out so far.
  uint64_t written() const { return written_; }

 private:
  const std::span<const std::byte> bytes_;
  const std::size_t chunk_bytes_;
  const uint64_t first_offset_;
  uint64_t written_ = 0;
};

}  // namespace nnseg

#endif  // NNSEG_PROTO_WIRE_CHUNK_WRITER_H_
