#include "proto/wire/probability_codec.h"

#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/volume/half.h"
#include "proto/wire/chunk_payload.h"
#include "proto/wire/geometry_codec.h"

namespace nnseg {
namespace {

int64_t SizeOf(pb::ProbabilityType type) {
  return type == pb::PROBABILITY_TYPE_FLOAT16 ? static_cast<int64_t>(sizeof(Half))
                                              : static_cast<int64_t>(sizeof(float));
}

std::string PlainBytes(std::span<const float> values, pb::ProbabilityType type) {
  std::string bytes(values.size() * static_cast<std::size_t>(SizeOf(type)), '\0');
  if (type == pb::PROBABILITY_TYPE_FLOAT16) {
    std::vector<Half> halves(values.size());
    ToHalf(values, halves);
    std::memcpy(bytes.data(), halves.data(), bytes.size());
  } else {
    std::memcpy(bytes.data(), values.data(), bytes.size());
  }
  return bytes;
}

}  // namespace

absl::Status EncodeProbabilities(const ProbabilityBlock& block, pb::ProbabilityType type,
                                 pb::LabelEncoding encoding,
                                 const std::function<absl::Status(pb::ProbabilityChunk)>& sink) {
  const Shape3 shape = block.box.shape();
  for (int64_t channel = 0; channel < block.values.channels(); ++channel) {
    const std::span<const float> values = block.values.channel(channel);
    NNSEG_RETURN_IF_ERROR(ForEachPart(block.box, SizeOf(type), [&](const Box3& part) {
      const Index3 first = part.begin - block.box.begin;
      pb::ProbabilityChunk chunk;
      *chunk.mutable_box() = ToProto(part);
      chunk.set_channel(static_cast<int32_t>(channel));
      chunk.set_encoding(encoding);
      chunk.set_data(Pack(
          PlainBytes(
              values.subspan(static_cast<std::size_t>((first[0] * shape[1] + first[1]) * shape[2]),
                             static_cast<std::size_t>(part.shape().voxels())),
              type),
          encoding));
      return sink(std::move(chunk));
    }));
  }
  return absl::OkStatus();
}

absl::StatusOr<ProbabilityPart> DecodeProbabilities(const pb::ProbabilityChunk& chunk,
                                                    pb::ProbabilityType type, int channels,
                                                    const Box3& labelled_box) {
  ProbabilityPart part;
  NNSEG_ASSIGN_OR_RETURN(part.box, FromProto(chunk.box(), labelled_box));
  part.channel = chunk.channel();
  if (part.channel < 0 || part.channel >= channels) {
    return absl::InvalidArgumentError(absl::StrCat("probability chunk: got channel ", part.channel,
                                                   ", expected one of ", channels));
  }
  const int64_t count = part.box.shape().voxels();
  NNSEG_ASSIGN_OR_RETURN(
      const std::string bytes,
      Unpack(chunk.data(), chunk.encoding(), count * SizeOf(type), "probability chunk"));
  part.values.resize(static_cast<std::size_t>(count));
  if (type == pb::PROBABILITY_TYPE_FLOAT16) {
    std::vector<Half> halves(part.values.size());
    std::memcpy(halves.data(), bytes.data(), bytes.size());
    ToFloat(halves, part.values);
  } else {
    std::memcpy(part.values.data(), bytes.data(), bytes.size());
  }
  return part;
}

}  // namespace nnseg
