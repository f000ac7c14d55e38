#ifndef NNSEG_CORE_RESTORE_LOGIT_DECODER_H_
#define NNSEG_CORE_RESTORE_LOGIT_DECODER_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "core/plan/label_table.h"
#include "core/volume/half.h"

namespace nnseg {

/// A number that orders logits as numpy's argmax does: larger for larger values, equal for the two
/// zeros, and largest, kNanRank, for every NaN.
inline constexpr int16_t kNanRank = std::numeric_limits<int16_t>::max();
inline int16_t RankOf(Half logit) {
  const int magnitude = logit.bits & 0x7FFF;
  if (magnitude > 0x7C00) return kNanRank;
  return static_cast<int16_t>((logit.bits & 0x8000) != 0 ? -magnitude : magnitude);
}

/// The rank above which a float sigmoid exceeds one half: that of the smallest subnormal, whose
/// sigmoid rounds to one half. NaN exceeds nothing.
inline constexpr int16_t kOneHalfRank = 1;

/// Decides the label of voxels from their logits, channel by channel (nnU-Net 2.8.1,
/// label_handling.convert_logits_to_segmentation). Labels: the channel with the largest logit, the
/// first of equals. Regions: the last one whose sigmoid exceeds one half, 0 where none does. The
/// result does not depend on the order of channels.
class LogitDecoder {
 public:
  /// `table` must outlive this.
  explicit LogitDecoder(const LabelTable& table) : table_(table) {}

  /// Forgets everything; `voxels` voxels follow.
  void Start(int64_t voxels) {
    ranks_.assign(static_cast<std::size_t>(voxels), std::numeric_limits<int16_t>::min());
    labels_.assign(static_cast<std::size_t>(voxels), 0);
  }

  /// The logits of one channel, from voxel `first` on. Each voxel must be offered each channel that
  /// could win it. Distinct ranges of voxels may be offered by several threads at once.
  void Offer(uint16_t channel, int64_t first, std::span<const Half> logits);

  /// Gives all voxels to one channel, which wins them all. REQUIRES: labels, not regions.
  void Award(uint16_t channel) { std::fill(labels_.begin(), labels_.end(), channel); }

  /// The lowest rank that any voxel has so far: a channel below it can win nothing. The rank of a
  /// region is its channel.
  int16_t LowestRank() const { return *std::min_element(ranks_.begin(), ranks_.end()); }
  std::span<const uint16_t> labels() const { return labels_; }

 private:
  const LabelTable& table_;
  std::vector<int16_t> ranks_;
  std::vector<uint16_t> labels_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_LOGIT_DECODER_H_
