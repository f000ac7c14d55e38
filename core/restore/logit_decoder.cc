#include "core/restore/logit_decoder.h"

#include "core/base/check.h"

namespace nnseg {
namespace {

void OfferLabel(uint16_t channel, std::span<const Half> logits, int16_t* ranks, uint16_t* labels) {
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const int16_t rank = RankOf(logits[i]);
    const bool wins = rank > ranks[i] || (rank == ranks[i] && channel < labels[i]);
    ranks[i] = wins ? rank : ranks[i];
    labels[i] = wins ? channel : labels[i];
  }
}

void OfferRegion(uint16_t channel, uint16_t label, std::span<const Half> logits, int16_t* ranks,
                 uint16_t* labels) {
  const auto rank = static_cast<int16_t>(channel);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const int16_t logit = RankOf(logits[i]);
    const bool wins = logit > kOneHalfRank && logit != kNanRank && rank > ranks[i];
    ranks[i] = wins ? rank : ranks[i];
    labels[i] = wins ? label : labels[i];
  }
}

}  // namespace

void LogitDecoder::Offer(uint16_t channel, int64_t first, std::span<const Half> logits) {
  NNSEG_CHECK(first >= 0 && static_cast<std::size_t>(first) + logits.size() <= ranks_.size());
  int16_t* const ranks = ranks_.data() + first;
  uint16_t* const labels = labels_.data() + first;
  if (table_.has_regions()) {
    const auto label = static_cast<uint16_t>(table_.regions_class_order()[channel]);
    OfferRegion(channel, label, logits, ranks, labels);
  } else {
    OfferLabel(channel, logits, ranks, labels);
  }
}

}  // namespace nnseg
