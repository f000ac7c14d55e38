#include "core/restore/probabilities.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "core/base/parallel_for.h"

namespace nnseg {
namespace {

// Voxels that are worked on at once, so that their channels stay in the cache.
constexpr int64_t kVoxelsAtOnce = 256;

// The voxels [begin, end), at most kVoxelsAtOnce: less the largest logit, exponential, sum in the
// order of channels, one division each.
void Softmax(Volume<float>& values, int64_t begin, int64_t end) {
  const int64_t count = end - begin;
  std::array<float, kVoxelsAtOnce> largest;
  std::array<float, kVoxelsAtOnce> sum{};
  std::copy_n(values.channel(0).data() + begin, count, largest.data());
  for (int64_t c = 1; c < values.channels(); ++c) {
    const float* const value = values.channel(c).data() + begin;
    for (int64_t i = 0; i < count; ++i) largest[i] = std::max(largest[i], value[i]);
  }
  for (int64_t c = 0; c < values.channels(); ++c) {
    float* const value = values.channel(c).data() + begin;
    for (int64_t i = 0; i < count; ++i) {
      value[i] = std::exp(value[i] - largest[i]);
      sum[i] += value[i];
    }
  }
  for (int64_t c = 0; c < values.channels(); ++c) {
    float* const value = values.channel(c).data() + begin;
    for (int64_t i = 0; i < count; ++i) value[i] /= sum[i];
  }
}

void Sigmoid(Volume<float>& values, int64_t begin, int64_t end) {
  for (int64_t c = 0; c < values.channels(); ++c) {
    float* const value = values.channel(c).data();
    for (int64_t i = begin; i < end; ++i) value[i] = 1.0F / (1.0F + std::exp(-value[i]));
  }
}

}  // namespace

void ToProbabilities(const LabelTable& labels, Volume<float>& logits) {
  ParallelFor(logits.shape().voxels(), [&](int64_t first, int64_t last) {
    for (int64_t begin = first; begin < last; begin += kVoxelsAtOnce) {
      const int64_t end = std::min(begin + kVoxelsAtOnce, last);
      if (labels.has_regions()) {
        Sigmoid(logits, begin, end);
      } else {
        Softmax(logits, begin, end);
      }
    }
  });
}

}  // namespace nnseg
