#ifndef NNSEG_PROTO_WIRE_LABEL_CODEC_H_
#define NNSEG_PROTO_WIRE_LABEL_CODEC_H_

#include <cstddef>
#include <functional>

#include "absl/status/statusor.h"
#include "core/volume/label_map.h"
#include "segmentation/v1/segmentation_service.pb.h"

namespace nnseg {

/// Bytes of one label.
inline int64_t SizeOf(LabelType type) { return type == LabelType::kUint8 ? 1 : 2; }

/// Packs labels for sending, in parts as ForEachPart (chunk_payload.h) cuts them. Values that do
/// not fit `type` are a programmer's mistake. `encoding` is RAW or ZLIB. Chunks go to `sink` one by
/// one; returns its first error.
absl::Status EncodeLabels(const LabelBlock& block, LabelType type,
                          ::segmentation::v1::LabelEncoding encoding,
                          const std::function<absl::Status(::segmentation::v1::LabelChunk)>& sink);

/// Unpacks one chunk. INVALID_ARGUMENT when its box leaves `labelled_box` or is too large, or when
/// its data does not unpack to exactly the box's labels; no more memory is used than those take.
absl::StatusOr<LabelBlock> DecodeLabels(const ::segmentation::v1::LabelChunk& chunk, LabelType type,
                                        const Box3& labelled_box);

}  // namespace nnseg

#endif  // NNSEG_PROTO_WIRE_LABEL_CODEC_H_
