#include "core/restore/plane_decoder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/check.h"

namespace nnseg {
namespace {

constexpr int64_t kSegmentColumns = 16;
constexpr int64_t kVectorRanks = 16;  // of int16 in a 256-bit vector
constexpr int64_t kMaxRowTaps = 4;

int64_t PaddedChannels(int64_t channels) {
  return (channels + kVectorRanks - 1) / kVectorRanks * kVectorRanks;
}

// A logit that is not finite may come out as anything, so it bounds nothing.
int16_t BoundOf(Half logit) { return (logit.bits & 0x7C00) == 0x7C00 ? kNanRank : RankOf(logit); }

}  // namespace

PlaneDecoder::PlaneDecoder(const LabelTable& table, int64_t input_rows, int64_t input_columns,
                           AxisOperator axis1, const AxisOperator& axis2)
    : regions_(table.has_regions()),
      channels_(table.output_channels()),
      padded_channels_(PaddedChannels(channels_)),
      input_rows_(input_rows),
      input_columns_(input_columns),
      axis1_(std::move(axis1)) {
  NNSEG_CHECK(axis1_.taps() <= 2 && axis2.taps() <= 2);
  for (int64_t begin = 0; begin < axis2.output_length(); begin += kSegmentColumns) {
    Segment segment;
    segment.begin = begin;
    segment.length = std::min(kSegmentColumns, axis2.output_length() - begin);
    segment.first = axis2.indices(begin).front();
    segment.span = axis2.indices(begin + segment.length - 1).back() + 1 - segment.first;
    for (int t = 0; t < axis2.taps(); ++t) {
      for (int64_t k = begin; k < begin + segment.length; ++k) {
        segment.columns.push_back(static_cast<int32_t>(axis2.indices(k)[t] - segment.first));
        segment.weights.push_back(axis2.weights(k)[t]);
      }
    }
    segments_.push_back(std::move(segment));
  }
}

int64_t PlaneDecoder::BoundsPerPlane(int64_t channels, int64_t input_rows, int64_t output_columns) {
  return input_rows * ((output_columns + kSegmentColumns - 1) / kSegmentColumns) *
         PaddedChannels(channels);
}

void PlaneDecoder::Bound(const LogitPlane& plane, std::span<int16_t> bounds) const {
  NNSEG_CHECK(static_cast<int64_t>(bounds.size()) == bounds_per_plane());
  std::fill(bounds.begin(), bounds.end(), std::numeric_limits<int16_t>::min());
  std::vector<int16_t> ranks(input_columns_);
  for (int64_t channel = 0; channel < channels_; ++channel) {
    for (int64_t row = 0; row < input_rows_; ++row) {
      const Half* const logits = plane.channel(channel) + row * input_columns_;
      for (int64_t i = 0; i < input_columns_; ++i) ranks[i] = BoundOf(logits[i]);
      int16_t* bound = bounds.data() + row * bounds_per_row() + channel;
      for (const Segment& segment : segments_) {
        int16_t largest = ranks[segment.first];
        for (int64_t i = 1; i < segment.span; ++i) {
          largest = std::max(largest, ranks[segment.first + i]);
        }
        *bound = largest;
        bound += padded_channels_;
      }
    }
  }
}

void PlaneDecoder::DecodeRow(std::span<const BoundedPlane> planes, std::span<const double> weights,
                             int64_t row, Scratch& scratch, std::span<uint16_t> labels) const {
  NNSEG_CHECK(planes.size() == weights.size() && planes.size() * axis1_.taps() <= kMaxRowTaps);
  std::array<RowTap, kMaxRowTaps> taps;
  std::size_t count = 0;
  for (std::size_t p = 0; p < planes.size(); ++p) {
    for (int t = 0; t < axis1_.taps(); ++t) {
      const int64_t input_row = axis1_.indices(row)[t];
      const LogitPlane& plane = planes[p].plane;
      taps[count++] = {plane.data + input_row * input_columns_, plane.channel_stride,
                       planes[p].bounds + input_row * bounds_per_row(), weights[p],
                       axis1_.weights(row)[t]};
    }
  }
  for (std::size_t s = 0; s < segments_.size(); ++s) {
    DecodeSegment({taps.data(), count}, s, scratch);
    const auto decoded = scratch.decoder.labels();
    std::copy(decoded.begin(), decoded.end(), labels.begin() + segments_[s].begin);
  }
}

void PlaneDecoder::DecodeSegment(std::span<const RowTap> taps, std::size_t index,
                                 Scratch& scratch) const {
  const Segment& segment = segments_[index];
  const int64_t offset = static_cast<int64_t>(index) * padded_channels_;
  std::vector<int16_t>& bounds = scratch.bounds;
  bounds.assign(taps[0].bounds + offset, taps[0].bounds + offset + padded_channels_);
  for (std::size_t t = 1; t < taps.size(); ++t) {
    const int16_t* const other = taps[t].bounds + offset;
    for (int64_t c = 0; c < padded_channels_; ++c) bounds[c] = std::max(bounds[c], other[c]);
  }
  scratch.decoder.Start(segment.length);
  if (regions_) {
    PaintRegions(taps, segment, scratch);
  } else {
    DecideLabels(taps, segment, scratch);
  }
}

void PlaneDecoder::DecideLabels(std::span<const RowTap> taps, const Segment& segment,
                                Scratch& scratch) const {
  // The most promising channel first: it raises the bar for the others.
  const std::vector<int16_t>& bounds = scratch.bounds;
  const auto best = std::max_element(bounds.begin(), bounds.begin() + channels_) - bounds.begin();
  int16_t others = std::numeric_limits<int16_t>::min();
  for (int64_t channel = 0; channel < channels_; ++channel) {
    others = std::max(others, channel == best ? others : bounds[channel]);
  }
  if (bounds[best] != kNanRank && bounds[best] > others &&
      LeastRank(taps, segment, best) > others) {
    scratch.decoder.Award(static_cast<uint16_t>(best));
    return;
  }
  Offer(taps, segment, best, scratch);
  int16_t lowest = scratch.decoder.LowestRank();
  for (int64_t channel = 0; channel < channels_; ++channel) {
    if (bounds[channel] < lowest || channel == best) continue;
    Offer(taps, segment, channel, scratch);
    lowest = scratch.decoder.LowestRank();
  }
}

int16_t PlaneDecoder::LeastRank(std::span<const RowTap> taps, const Segment& segment,
                                int64_t channel) const {
  int16_t least = kNanRank;
  for (const RowTap& tap : taps) {
    const Half* const logits = tap.data + channel * tap.channel_stride + segment.first;
    for (int64_t i = 0; i < segment.span; ++i) least = std::min(least, RankOf(logits[i]));
  }
  return least;
}

void PlaneDecoder::PaintRegions(std::span<const RowTap> taps, const Segment& segment,
                                Scratch& scratch) const {
  // Later regions paint over earlier ones, so the last comes first here.
  for (int64_t channel = channels_ - 1; channel >= 0; --channel) {
    if (scratch.bounds[channel] <= kOneHalfRank) continue;
    if (scratch.decoder.LowestRank() > channel) break;
    Offer(taps, segment, channel, scratch);
  }
}

void PlaneDecoder::Offer(std::span<const RowTap> taps, const Segment& segment, int64_t channel,
                         Scratch& scratch) const {
  Interpolate(taps, segment, channel, scratch);
  scratch.decoder.Offer(static_cast<uint16_t>(channel), 0, scratch.logits);
}

void PlaneDecoder::Interpolate(std::span<const RowTap> taps, const Segment& segment,
                               int64_t channel, Scratch& scratch) const {
  const auto span = static_cast<std::size_t>(segment.span);
  const auto length = static_cast<std::size_t>(segment.length);
  scratch.values.resize(span);
  scratch.weighted.resize(span);
  scratch.logits.resize(length);
  scratch.sums.assign(length, 0.0);
  double* const sums = scratch.sums.data();
  double* const weighted = scratch.weighted.data();
  for (const RowTap& tap : taps) {
    ToFloat({tap.data + channel * tap.channel_stride + segment.first, span}, scratch.values);
    const float* const values = scratch.values.data();
    for (std::size_t i = 0; i < span; ++i) {
      weighted[i] = static_cast<double>(values[i]) * tap.weight0 * tap.weight1;
    }
    const int32_t* columns = segment.columns.data();
    const double* weights = segment.weights.data();
    for (; weights != segment.weights.data() + segment.weights.size();
         columns += length, weights += length) {
      for (std::size_t i = 0; i < length; ++i) sums[i] += weighted[columns[i]] * weights[i];
    }
  }
  ToHalf(scratch.sums, scratch.logits);
}

}  // namespace nnseg
