#include "core/restore/logit_decoder.h"

#include "core/base/check.h"

namespace nnseg {

void LogitDecoder::Offer(uint16_t channel, int64_t first, std::span<const Half> logits) {
  NNSEG_CHECK(first >= 0 && static_cast<std::size_t>(first) + logits.size() <= ranks_.size());
  int16_t* const ranks = ranks_.data() + first;
  uint16_t* const labels = labels_.data() + first;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const int16_t rank = RankOf(logits[i]);
    const bool wins = rank > ranks[i] || (rank == ranks[i] && channel < labels[i]);
    ranks[i] = wins ? rank : ranks[i];
    labels[i] = wins ? channel : labels[i];
  }
}

}  // namespace nnseg
