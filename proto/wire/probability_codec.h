#ifndef NNSEG_PROTO_WIRE_PROBABILITY_CODEC_H_
#define NNSEG_PROTO_WIRE_PROBABILITY_CODEC_H_

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "core/volume/label_map.h"
#include "segmentation/v1/segmentation_service.pb.h"

namespace nnseg {

/// Packs probabilities for sending: channel after channel, each in parts as ForEachPart
/// (chunk_payload.h) cuts them. `type` is FLOAT16 (rounded to nearest) or FLOAT32, `encoding` RAW
/// or ZLIB. Chunks go to `sink` one by one; returns its first error.
absl::Status EncodeProbabilities(
    const ProbabilityBlock& block, ::segmentation::v1::ProbabilityType type,
    ::segmentation::v1::LabelEncoding encoding,
    const std::function<absl::Status(::segmentation::v1::ProbabilityChunk)>& sink);

/// One channel of a box.
struct ProbabilityPart {
  Box3 box;
  int channel = 0;
  std::vector<float> values;  ///< C order
};

/// Unpacks one chunk. INVALID_ARGUMENT when its box leaves `labelled_box` or is too large, its
/// channel is none of `channels`, or its data does not unpack to exactly the box's values; no more
/// memory is used than those take.
absl::StatusOr<ProbabilityPart> DecodeProbabilities(
    const ::segmentation::v1::ProbabilityChunk& chunk, ::segmentation::v1::ProbabilityType type,
    int channels, const Box3& labelled_box);

}  // namespace nnseg

#endif  // NNSEG_PROTO_WIRE_PROBABILITY_CODEC_H_
