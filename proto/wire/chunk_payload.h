#ifndef NNSEG_PROTO_WIRE_CHUNK_PAYLOAD_H_
#define NNSEG_PROTO_WIRE_CHUNK_PAYLOAD_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "core/geometry/box.h"
#include "segmentation/v1/volume.pb.h"

namespace nnseg {

/// Most plain bytes in one label or probability chunk.
inline constexpr int64_t kMaxPayloadBytes = 1 << 20;

/// Cuts a box into parts of at most kMaxPayloadBytes at `voxel_bytes` a voxel: whole planes, or
/// rows of one plane when a plane is too large. Parts go to `sink` in C order; returns its first
/// error. An empty box has no parts.
absl::Status ForEachPart(const Box3& box, int64_t voxel_bytes,
                         const std::function<absl::Status(const Box3&)>& sink);

/// Packs plain bytes. `encoding` is RAW or ZLIB.
std::string Pack(std::string plain, ::segmentation::v1::LabelEncoding encoding);

/// Unpacks to exactly `size` bytes and takes no more memory than that. INVALID_ARGUMENT, with the
/// text of `what` in front, when it cannot.
absl::StatusOr<std::string> Unpack(const std::string& data,
                                   ::segmentation::v1::LabelEncoding encoding, int64_t size,
                                   const std::string& what);

}  // namespace nnseg

#endif  // NNSEG_PROTO_WIRE_CHUNK_PAYLOAD_H_
