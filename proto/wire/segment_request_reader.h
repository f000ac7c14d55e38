#ifndef NNSEG_PROTO_WIRE_SEGMENT_REQUEST_READER_H_
#define NNSEG_PROTO_WIRE_SEGMENT_REQUEST_READER_H_

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "absl/status/statusor.h"
#include "segmentation/v1/segmentation_service.pb.h"

namespace nnseg {

/// Where a chunk's bytes lie within a received SegmentRequest.
struct LocatedChunk {
  uint64_t offset = 0;    ///< VoxelChunk.offset
  uint64_t size = 0;      ///< of VoxelChunk.data
  uint64_t position = 0;  ///< of VoxelChunk.data within the message
};

/// A SegmentRequest read without copying voxels: a header is parsed, a chunk only located, so that
/// its bytes go from gRPC's slices straight into the image.
using SegmentRequestView = std::variant<::segmentation::v1::SegmentHeader, LocatedChunk>;

/// Reads a message. It may be cut into slices anywhere and have its fields in any order; unknown
/// fields are skipped. INVALID_ARGUMENT when it is no SegmentRequest, or holds not exactly one
/// header or chunk.
absl::StatusOr<SegmentRequestView> ReadSegmentRequest(grpc::ByteBuffer& message);

/// Copies the bytes of `chunk`, located in the same `message`. REQUIRES: to.size() == chunk.size.
absl::Status CopyChunkData(grpc::ByteBuffer& message, const LocatedChunk& chunk,
                           std::span<std::byte> to);

}  // namespace nnseg

#endif  // NNSEG_PROTO_WIRE_SEGMENT_REQUEST_READER_H_
