#include "core/convolution/channel_moments.h"

#include <algorithm>

namespace nnseg {

ChannelMoments ChannelMomentsOf(std::span<const float> values) {
  constexpr std::size_t kParts = 4;
  constexpr std::size_t kRun = 4096;
  ChannelMoments moments;
  while (!values.empty()) {
    const auto run = values.first(std::min(kRun, values.size()));
    ChannelSums sums{.count = std::ssize(run), .shift = run.front()};
    for (std::size_t i = 0; i < run.size(); ++i) {
      const double difference = static_cast<double>(run[i]) - sums.shift;
      sums.differences[i % kParts] += difference;
      sums.squares[i % kParts] += difference * difference;
    }
    moments.Add(sums);
    values = values.subspan(run.size());
  }
  return moments;
}

}  // namespace nnseg
