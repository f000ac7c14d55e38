#ifndef NNSEG_CORE_CONVOLUTION_CHANNEL_MOMENTS_H_
#define NNSEG_CORE_CONVOLUTION_CHANNEL_MOMENTS_H_

#include <array>
#include <cstdint>
#include <span>

namespace nnseg {

/// Sums over values of a channel, relative to the first of them: what mean and variance are made
/// of, without the loss that sums of large squares would bring.
struct ChannelSums {
  int64_t count = 0;
  float shift = 0;                      ///< the first value
  std::array<double, 4> differences{};  ///< sum of x - shift, in four parts
  std::array<double, 4> squares{};      ///< sum of (x - shift)^2, in four parts
};

/// Mean and sum of squared deviations from it.
class ChannelMoments {
 public:
  /// Takes in further values (Chan, Golub & LeVeque 1979).
  void Add(const ChannelSums& sums) {
    if (sums.count == 0) return;
    const auto n = static_cast<double>(sums.count);
    const double difference = Sum(sums.differences) / n;
    const double mean = sums.shift + difference;
    const double deviations = Sum(sums.squares) - difference * difference * n;
    const double all = count_ + n;
    const double step = mean - mean_;
    mean_ += step * n / all;
    deviations_ += deviations + step * step * count_ * n / all;
    count_ = all;
  }

  double mean() const { return mean_; }
  /// Of the population; never negative.
  double variance() const { return count_ > 0 && deviations_ > 0 ? deviations_ / count_ : 0; }

 private:
  static double Sum(const std::array<double, 4>& parts) {
    return (parts[0] + parts[1]) + (parts[2] + parts[3]);
  }

  double count_ = 0;
  double mean_ = 0;
  double deviations_ = 0;
};

/// Of all values of a channel.
ChannelMoments ChannelMomentsOf(std::span<const float> values);

}  // namespace nnseg

#endif  // NNSEG_CORE_CONVOLUTION_CHANNEL_MOMENTS_H_
