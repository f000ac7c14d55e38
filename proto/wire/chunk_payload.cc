#include "proto/wire/chunk_payload.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

namespace pb = ::segmentation::v1;

/// Label maps are long runs of equal values: the fastest level already shrinks them a hundredfold.
constexpr int kZlibLevel = 1;

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

absl::StatusOr<std::string> Inflate(const std::string& packed, int64_t size,
                                    const std::string& what) {
  std::string plain(static_cast<std::size_t>(size), '\0');
  uLongf plain_size = plain.size();
  uLong packed_size = packed.size();
  const int result = uncompress2(reinterpret_cast<Bytef*>(plain.data()), &plain_size,
                                 reinterpret_cast<const Bytef*>(packed.data()), &packed_size);
  if (result != Z_OK || plain_size != plain.size() || packed_size != packed.size()) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": its data is no zlib stream of the ",
                                                   size, " bytes that its box holds"));
  }
  return plain;
}

}  // namespace

absl::Status ForEachPart(const Box3& box, int64_t voxel_bytes,
                         const std::function<absl::Status(const Box3&)>& sink) {
  if (box.empty()) return absl::OkStatus();
  const Shape3 shape = box.shape();
  const int64_t row_bytes = shape[2] * voxel_bytes;
  const int64_t rows = std::clamp<int64_t>(kMaxPayloadBytes / row_bytes, 1, shape[1]);
  const int64_t planes =
      rows < shape[1] ? 1 : std::max<int64_t>(1, kMaxPayloadBytes / (row_bytes * shape[1]));
  Box3 part = box;
  for (int64_t z = box.begin[0]; z < box.end[0]; z += planes) {
    part.begin[0] = z;
    part.end[0] = std::min(z + planes, box.end[0]);
    for (int64_t y = box.begin[1]; y < box.end[1]; y += rows) {
      part.begin[1] = y;
      part.end[1] = std::min(y + rows, box.end[1]);
      NNSEG_RETURN_IF_ERROR(sink(part));
    }
  }
  return absl::OkStatus();
}

std::string Pack(std::string plain, pb::LabelEncoding encoding) {
  return encoding == pb::LABEL_ENCODING_ZLIB ? Deflate(plain) : std::move(plain);
}

absl::StatusOr<std::string> Unpack(const std::string& data, pb::LabelEncoding encoding,
                                   int64_t size, const std::string& what) {
  if (size > kMaxPayloadBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": got a box of ", size, " bytes, expected at most ", kMaxPayloadBytes));
  }
  if (encoding == pb::LABEL_ENCODING_ZLIB) return Inflate(data, size, what);
  if (encoding != pb::LABEL_ENCODING_RAW) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": got encoding ", static_cast<int>(encoding), ", expected 1 or 2"));
  }
  if (static_cast<int64_t>(data.size()) != size) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": got ", data.size(), " bytes, expected ", size));
  }
  return data;
}

}  // namespace nnseg
