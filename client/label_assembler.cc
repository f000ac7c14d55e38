#include "client/label_assembler.h"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "proto/wire/geometry_codec.h"
#include "proto/wire/label_codec.h"

namespace nnseg {
namespace {

absl::Status DataLoss(const absl::Status& status) {
  return absl::DataLossError(absl::StrCat("server's answer: ", status.message()));
}

}  // namespace

absl::Status LabelAssembler::Start(const pb::ResultHeader& header) {
  if (started_) return absl::DataLossError("server's answer: got a second result header");
  started_ = true;
  const absl::StatusOr<Geometry> geometry = FromProto(header.geometry());
  if (!geometry.ok()) return DataLoss(geometry.status());
  if (*geometry != geometry_) {
    return absl::DataLossError("server's answer: geometry differs from the image's");
  }
  const absl::StatusOr<LabelType> type = FromProto(header.label_type());
  if (!type.ok()) return DataLoss(type.status());
  const Shape3 shape = geometry_.shape();
  absl::StatusOr<LabelledBoxes> boxes = LabelledBoxes::Create(header, shape);
  if (!boxes.ok()) return DataLoss(boxes.status());
  boxes_ = *std::move(boxes);
  missing_ = boxes_.voxels();
  covered_.assign(static_cast<std::size_t>(shape.voxels()), false);
  map_ = {geometry_, *type, Volume<uint16_t>::Filled(1, shape, 0)};
  return absl::OkStatus();
}

absl::Status LabelAssembler::Add(const pb::LabelChunk& chunk) {
  if (!started_) return absl::DataLossError("server's answer: got labels before a result header");
  if (chunk.provisional()) return absl::OkStatus();
  const absl::StatusOr<LabelBlock> block =
      DecodeLabels(chunk, map_.type, boxes_.HolderOf(chunk.box()));
  if (!block.ok()) return DataLoss(block.status());
  const Index3 strides = geometry_.shape().strides();
  const Box3& box = block->box;
  const int64_t row_length = box.end[2] - box.begin[2];
  auto from = block->labels.voxels().begin();
  for (int64_t z = box.begin[0]; z < box.end[0]; ++z) {
    for (int64_t y = box.begin[1]; y < box.end[1]; ++y) {
      const int64_t first = z * strides[0] + y * strides[1] + box.begin[2];
      const auto covered = covered_.begin() + first;
      if (std::find(covered, covered + row_length, true) != covered + row_length) {
        return absl::DataLossError("server's answer: label chunks overlap");
      }
      std::fill(covered, covered + row_length, true);
      std::copy(from, from + row_length, map_.labels.voxels().begin() + first);
      from += row_length;
    }
  }
  missing_ -= block->labels.size();
  return absl::OkStatus();
}

absl::StatusOr<LabelMap> LabelAssembler::Finish(uint32_t expected_crc32) && {
  if (!started_) return absl::DataLossError("server's answer: ended without labels");
  if (missing_ != 0) {
    return absl::DataLossError(
        absl::StrCat("server's answer: labels of ", missing_, " voxels are missing"));
  }
  if (const uint32_t crc32 = Crc32Of(map_); crc32 != expected_crc32) {
    return absl::DataLossError(absl::StrCat("server's answer: label map has CRC-32 ", crc32,
                                            ", expected ", expected_crc32));
  }
  return std::move(map_);
}

uint32_t Crc32Of(const LabelMap& map) {
  uLong crc = crc32(0, nullptr, 0);
  const auto labels = map.labels.voxels();
  if (map.type == LabelType::kUint16) {
    const auto bytes = std::as_bytes(labels);
    return static_cast<uint32_t>(
        crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  }
  std::array<Bytef, 1 << 14> narrow;
  for (std::size_t i = 0; i < labels.size(); i += narrow.size()) {
    const auto part = labels.subspan(i, std::min(narrow.size(), labels.size() - i));
    std::transform(part.begin(), part.end(), narrow.begin(),
                   [](uint16_t label) { return static_cast<Bytef>(label); });
    crc = crc32_z(crc, narrow.data(), part.size());
  }
  return static_cast<uint32_t>(crc);
}

}  // namespace nnseg
