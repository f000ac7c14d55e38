#ifndef NNSEG_CLIENT_SEND_CHUNKS_H_
#define NNSEG_CLIENT_SEND_CHUNKS_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "proto/wire/chunk_writer.h"

namespace nnseg {

/// Sends bytes that begin at `offset` of an upload as chunk messages of type `Request`; false when
/// the stream has ended.
template <typename Request, typename Stream>
bool SendChunks(std::span<const std::byte> bytes, uint64_t offset, Stream& stream) {
  ChunkWriter chunks(bytes, kDefaultChunkBytes, offset);
  Request request;
  while (chunks.Next(*request.mutable_chunk())) {
    if (!stream.Write(request)) return false;
  }
  return true;
}

}  // namespace nnseg

#endif  // NNSEG_CLIENT_SEND_CHUNKS_H_
