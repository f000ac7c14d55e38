#include "proto/wire/label_codec.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "core/base/status_macros.h"
#include "proto/wire/chunk_payload.h"
#include "proto/wire/geometry_codec.h"

namespace nnseg {
namespace {

/// The labels of `part`, a range of whole rows of `block`, as plain little-endian bytes.
std::string PlainBytes(const LabelBlock& block, const Box3& part, LabelType type) {
  const Shape3 shape = block.box.shape();
  const Index3 first = part.begin - block.box.begin;
  const int64_t count = part.shape().voxels();
  const auto labels = block.labels.voxels().subspan(
      static_cast<std::size_t>((first[0] * shape[1] + first[1]) * shape[2]),
      static_cast<std::size_t>(count));
  std::string bytes(static_cast<std::size_t>(count * SizeOf(type)), '\0');
  if (type == LabelType::kUint8) {
    std::transform(labels.begin(), labels.end(), bytes.begin(),
                   [](uint16_t label) { return static_cast<char>(label); });
  } else {
    std::memcpy(bytes.data(), labels.data(), bytes.size());
  }
  return bytes;
}

}  // namespace

absl::Status EncodeLabels(const LabelBlock& block, LabelType type, pb::LabelEncoding encoding,
                          const std::function<absl::Status(pb::LabelChunk)>& sink) {
  return ForEachPart(block.box, SizeOf(type), [&](const Box3& part) {
    pb::LabelChunk chunk;
    *chunk.mutable_box() = ToProto(part);
    chunk.set_encoding(encoding);
    chunk.set_data(Pack(PlainBytes(block, part, type), encoding));
    chunk.set_provisional(block.provisional);
    return sink(std::move(chunk));
  });
}

absl::StatusOr<LabelBlock> DecodeLabels(const pb::LabelChunk& chunk, LabelType type,
                                        const Box3& labelled_box) {
  NNSEG_ASSIGN_OR_RETURN(const Box3 box, FromProto(chunk.box(), labelled_box));
  const int64_t size = box.shape().voxels() * SizeOf(type);
  NNSEG_ASSIGN_OR_RETURN(const std::string bytes,
                         Unpack(chunk.data(), chunk.encoding(), size, "label chunk"));
  LabelBlock block{box, Volume<uint16_t>::Uninitialized(1, box.shape()), chunk.provisional()};
  auto labels = block.labels.voxels();
  if (type == LabelType::kUint8) {
    std::transform(bytes.begin(), bytes.end(), labels.begin(),
                   [](char byte) { return static_cast<uint8_t>(byte); });
  } else {
    std::memcpy(labels.data(), bytes.data(), bytes.size());
  }
  return block;
}

}  // namespace nnseg
