#include "proto/wire/upload_reader.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <optional>

#include "absl/strings/str_cat.h"

namespace nnseg {
namespace {

namespace pb = ::segmentation::v1;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

constexpr uint32_t LengthDelimited(int field) {
  return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
}
// The same in both requests.
constexpr uint32_t kHeaderTag = LengthDelimited(pb::SegmentRequest::kHeaderFieldNumber);
constexpr uint32_t kChunkTag = LengthDelimited(pb::SegmentRequest::kChunkFieldNumber);
static_assert(kHeaderTag == LengthDelimited(pb::UploadVolumeRequest::kHeaderFieldNumber));
static_assert(kChunkTag == LengthDelimited(pb::UploadVolumeRequest::kChunkFieldNumber));
constexpr uint32_t kDataTag = LengthDelimited(pb::VoxelChunk::kDataFieldNumber);
constexpr uint32_t kOffsetTag =
    WireFormatLite::MakeTag(pb::VoxelChunk::kOffsetFieldNumber, WireFormatLite::WIRETYPE_VARINT);

absl::Status Malformed(const char* request) {
  return absl::InvalidArgumentError(absl::StrCat("message: its bytes are no ", request));
}

/// Enters a length-delimited field; false when it reaches beyond what encloses it.
bool EnterField(CodedInputStream& in, CodedInputStream::Limit& outer) {
  int length = 0;
  if (!in.ReadVarintSizeAsInt(&length)) return false;
  const int left = in.BytesUntilLimit();
  if (left >= 0 && length > left) return false;
  outer = in.PushLimit(length);
  return true;
}

bool LeaveField(CodedInputStream& in, CodedInputStream::Limit outer) {
  const bool whole = in.BytesUntilLimit() == 0;
  in.PopLimit(outer);
  return whole;
}

/// Reads the fields of a VoxelChunk up to the current limit, skipping over the data.
bool LocateChunk(CodedInputStream& in, LocatedChunk& chunk) {
  bool has_data = false;
  while (const uint32_t tag = in.ReadTag()) {
    if (tag == kOffsetTag) {
      if (!in.ReadVarint64(&chunk.offset)) return false;
    } else if (tag == kDataTag) {
      int size = 0;
      if (has_data || !in.ReadVarintSizeAsInt(&size)) return false;
      chunk.position = static_cast<uint64_t>(in.CurrentPosition());
      chunk.size = static_cast<uint64_t>(size);
      if (size > in.BytesUntilLimit() || !in.Skip(size)) return false;
      has_data = true;
    } else if (!WireFormatLite::SkipField(&in, tag)) {
      return false;
    }
  }
  return in.ConsumedEntireMessage();
}

/// `request` is the message's type, for texts.
template <typename Header>
absl::StatusOr<UploadMessage<Header>> Read(grpc::ByteBuffer& message, const char* request) {
  grpc::ProtoBufferReader slices(&message);
  if (!slices.status().ok()) return Malformed(request);
  CodedInputStream in(&slices);
  in.PushLimit(static_cast<int>(message.Length()));

  std::optional<UploadMessage<Header>> view;
  while (const uint32_t tag = in.ReadTag()) {
    if (tag != kHeaderTag && tag != kChunkTag) {
      if (!WireFormatLite::SkipField(&in, tag)) return Malformed(request);
      continue;
    }
    if (view.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "message: got several headers or chunks in one ", request, ", expected one"));
    }
    CodedInputStream::Limit outer;
    if (!EnterField(in, outer)) return Malformed(request);
    if (tag == kHeaderTag) {
      Header header;
      if (!header.ParseFromCodedStream(&in)) return Malformed(request);
      view = std::move(header);
    } else {
      LocatedChunk chunk;
      if (!LocateChunk(in, chunk)) return Malformed(request);
      view = chunk;
    }
    if (!LeaveField(in, outer)) return Malformed(request);
  }
  if (!in.ConsumedEntireMessage()) return Malformed(request);
  if (!view.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "message: got neither a header nor a chunk in one ", request, ", expected one"));
  }
  return *std::move(view);
}

}  // namespace

absl::StatusOr<UploadMessage<pb::SegmentHeader>> ReadSegmentRequest(grpc::ByteBuffer& message) {
  return Read<pb::SegmentHeader>(message, "SegmentRequest");
}

absl::StatusOr<UploadMessage<pb::VolumeHeader>> ReadUploadVolumeRequest(grpc::ByteBuffer& message) {
  return Read<pb::VolumeHeader>(message, "UploadVolumeRequest");
}

absl::Status CopyChunkData(grpc::ByteBuffer& message, const LocatedChunk& chunk,
                           std::span<std::byte> to) {
  grpc::ProtoBufferReader slices(&message);
  CodedInputStream in(&slices);
  if (!in.Skip(static_cast<int>(chunk.position)) ||
      !in.ReadRaw(to.data(), static_cast<int>(to.size()))) {
    return absl::InternalError("message: a located chunk is not where it was");
  }
  return absl::OkStatus();
}

}  // namespace nnseg
