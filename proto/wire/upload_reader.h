#ifndef NNSEG_PROTO_WIRE_UPLOAD_READER_H_
#define NNSEG_PROTO_WIRE_UPLOAD_READER_H_

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "absl/status/statusor.h"
#include "segmentation/v1/segmentation_service.pb.h"
#include "segmentation/v1/volume_service.pb.h"

namespace nnseg {

/// Where a chunk's bytes lie within a received message.
struct LocatedChunk {
  uint64_t offset = 0;    ///< VoxelChunk.offset
  uint64_t size = 0;      ///< of VoxelChunk.data
  uint64_t position = 0;  ///< of VoxelChunk.data within the message
};

/// A message of an upload read without copying voxels: a header is parsed, a chunk only located, so
/// that its bytes go from gRPC's slices straight into the image.
template <typename Header>
using UploadMessage = std::variant<Header, LocatedChunk>;

/// Reads a message. It may be cut into slices anywhere and have its fields in any order; unknown
/// fields are skipped. INVALID_ARGUMENT when it is no SegmentRequest, or holds not exactly one
/// header or chunk.
absl::StatusOr<UploadMessage<::segmentation::v1::SegmentHeader>> ReadSegmentRequest(
    grpc::ByteBuffer& message);

/// The same for an UploadVolumeRequest.
absl::StatusOr<UploadMessage<::segmentation::v1::VolumeHeader>> ReadUploadVolumeRequest(
    grpc::ByteBuffer& message);

/// Copies the bytes of `chunk`, located in the same `message`. REQUIRES: to.size() == chunk.size.
absl::Status CopyChunkData(grpc::ByteBuffer& message, const LocatedChunk& chunk,
                           std::span<std::byte> to);

}  // namespace nnseg

#endif  // NNSEG_PROTO_WIRE_UPLOAD_READER_H_
