#include "proto/wire/chunk_writer.h"

#include <algorithm>

namespace nnseg {

bool ChunkWriter::Next(::segmentation::v1::VoxelChunk& chunk) {
  if (written_ == bytes_.size()) return false;
  const std::size_t size = std::min<std::size_t>(chunk_bytes_, bytes_.size() - written_);
  chunk.set_offset(first_offset_ + written_);
  chunk.set_data(bytes_.data() + written_, size);
  written_ += size;
  return true;
}

}  // namespace nnseg
