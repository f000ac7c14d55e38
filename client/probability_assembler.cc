#include "client/probability_assembler.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "proto/wire/geometry_codec.h"
#include "proto/wire/probability_codec.h"

namespace nnseg {
namespace {

constexpr int kMaxChannels = 65536;  // as many as labels

absl::Status DataLoss(absl::string_view text) {
  return absl::DataLossError(absl::StrCat("server's answer: ", text));
}

}  // namespace

absl::Status ProbabilityAssembler::Start(const pb::ResultHeader& header) {
  if (header.probability_type() != pb::PROBABILITY_TYPE_FLOAT16 &&
      header.probability_type() != pb::PROBABILITY_TYPE_FLOAT32) {
    return DataLoss("no probabilities are announced though they were asked for");
  }
  if (header.probability_channels() < 1 || header.probability_channels() > kMaxChannels) {
    return DataLoss(absl::StrCat("probabilities of ", header.probability_channels(),
                                 " channels, expected 1 to ", kMaxChannels));
  }
  type_ = header.probability_type();
  channels_ = header.probability_channels();
  const Shape3 shape = geometry_.shape();
  absl::StatusOr<LabelledBoxes> boxes = LabelledBoxes::Create(header, shape);
  if (!boxes.ok()) return DataLoss(boxes.status().message());
  boxes_ = *std::move(boxes);
  missing_ = channels_ * boxes_.voxels();
  map_.geometry = geometry_;
  NNSEG_ASSIGN_OR_RETURN(map_.values, VoxelBuffer::Allocate(PixelType::kFloat32, channels_, shape));
  covered_.assign(static_cast<std::size_t>(channels_ * shape.voxels()), false);
  std::memset(map_.values.bytes().data(), 0, map_.values.bytes().size());
  if (!has_regions_) {
    std::fill_n(reinterpret_cast<float*>(map_.values.bytes().data()), shape.voxels(), 1.0F);
  }
  return absl::OkStatus();
}

absl::Status ProbabilityAssembler::Add(const pb::ProbabilityChunk& chunk) {
  if (channels_ == 0) return DataLoss("got probabilities before a result header");
  const absl::StatusOr<ProbabilityPart> part =
      DecodeProbabilities(chunk, type_, channels_, boxes_.HolderOf(chunk.box()));
  if (!part.ok()) return DataLoss(part.status().message());
  const Shape3 shape = geometry_.shape();
  const Index3 strides = shape.strides();
  auto* const values = reinterpret_cast<float*>(map_.values.bytes().data());
  const Box3& box = part->box;
  const int64_t row_length = box.end[2] - box.begin[2];
  const float* from = part->values.data();
  for (int64_t z = box.begin[0]; z < box.end[0]; ++z) {
    for (int64_t y = box.begin[1]; y < box.end[1]; ++y) {
      const int64_t first =
          part->channel * shape.voxels() + z * strides[0] + y * strides[1] + box.begin[2];
      const auto covered = covered_.begin() + first;
      if (std::find(covered, covered + row_length, true) != covered + row_length) {
        return DataLoss("probability chunks overlap");
      }
      std::fill(covered, covered + row_length, true);
      std::copy(from, from + row_length, values + first);
      from += row_length;
    }
  }
  missing_ -= static_cast<int64_t>(part->values.size());
  return absl::OkStatus();
}

absl::StatusOr<ProbabilityMap> ProbabilityAssembler::Finish() && {
  if (channels_ == 0) return DataLoss("ended without probabilities");
  if (missing_ != 0) return DataLoss(absl::StrCat(missing_, " probabilities are missing"));
  return std::move(map_);
}

}  // namespace nnseg
