#include "proto/wire/label_codec.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "proto/wire/geometry_codec.h"

namespace nnseg {
namespace {

/// Label maps are long runs of equal values: the fastest level already shrinks them a hundredfold.
constexpr int kZlibLevel = 1;

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

std::string Deflate(const std::string& plain) {
  uLongf size = compressBound(plain.size());
  std::string packed(size, '\0');
  const int result =
      compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                reinterpret_cast<const Bytef*>(plain.data()), plain.size(), kZlibLevel);
  NNSEG_CHECK(result == Z_OK);
  packed.resize(size);
  return packed;
}

/// Unpacks exactly `size` bytes and no more.
absl::StatusOr<std::string> Inflate(const std::string& packed, std::size_t size) {
  std::string plain(size, '\0');
  uLongf plain_size = size;
  uLong packed_size = packed.size();
  const int result = uncompress2(reinterpret_cast<Bytef*>(plain.data()), &plain_size,
                                 reinterpret_cast<const Bytef*>(packed.data()), &packed_size);
  if (result != Z_OK || plain_size != size || packed_size != packed.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "label chunk: its data is no zlib stream of the ", size, " bytes that its box holds"));
  }
  return plain;
}

}  // namespace

absl::Status EncodeLabels(const LabelBlock& block, LabelType type, pb::LabelEncoding encoding,
                          const std::function<absl::Status(pb::LabelChunk)>& sink) {
  if (block.box.empty()) return absl::OkStatus();
  const Shape3 shape = block.box.shape();
  const int64_t row_bytes = shape[2] * SizeOf(type);
  const int64_t rows = std::clamp<int64_t>(kMaxLabelChunkBytes / row_bytes, 1, shape[1]);
  const int64_t planes =
      rows < shape[1] ? 1 : std::max<int64_t>(1, kMaxLabelChunkBytes / (row_bytes * shape[1]));
  Box3 part = block.box;
  for (int64_t z = block.box.begin[0]; z < block.box.end[0]; z += planes) {
    part.begin[0] = z;
    part.end[0] = std::min(z + planes, block.box.end[0]);
    for (int64_t y = block.box.begin[1]; y < block.box.end[1]; y += rows) {
      part.begin[1] = y;
      part.end[1] = std::min(y + rows, block.box.end[1]);
      pb::LabelChunk chunk;
      *chunk.mutable_box() = ToProto(part);
      chunk.set_encoding(encoding);
      std::string plain = PlainBytes(block, part, type);
      chunk.set_data(encoding == pb::LABEL_ENCODING_ZLIB ? Deflate(plain) : std::move(plain));
      NNSEG_RETURN_IF_ERROR(sink(std::move(chunk)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<LabelBlock> DecodeLabels(const pb::LabelChunk& chunk, LabelType type,
                                        const Box3& labelled_box) {
  NNSEG_ASSIGN_OR_RETURN(const Box3 box, FromProto(chunk.box(), labelled_box));
  const int64_t count = box.shape().voxels();
  const int64_t size = count * SizeOf(type);
  if (size > kMaxLabelChunkBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "label chunk: got a box of ", size, " bytes, expected at most ", kMaxLabelChunkBytes));
  }
  std::string plain;
  if (chunk.encoding() == pb::LABEL_ENCODING_ZLIB) {
    NNSEG_ASSIGN_OR_RETURN(plain, Inflate(chunk.data(), static_cast<std::size_t>(size)));
  } else if (chunk.encoding() != pb::LABEL_ENCODING_RAW) {
    return absl::InvalidArgumentError(absl::StrCat(
        "label chunk: got encoding ", static_cast<int>(chunk.encoding()), ", expected 1 or 2"));
  }
  const std::string& bytes = chunk.encoding() == pb::LABEL_ENCODING_RAW ? chunk.data() : plain;
  if (static_cast<int64_t>(bytes.size()) != size) {
    return absl::InvalidArgumentError(
        absl::StrCat("label chunk: got ", bytes.size(), " bytes, expected ", size));
  }
  LabelBlock block{box, Volume<uint16_t>::Uninitialized(1, box.shape())};
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
