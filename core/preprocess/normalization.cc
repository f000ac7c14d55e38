#include "core/preprocess/normalization.h"

#include <algorithm>
#include <limits>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/parallel_for.h"
#include "core/preprocess/numpy_sum.h"

namespace nnseg {
namespace {

constexpr double kEpsilon = 1e-8;

// value = f(value), voxel by voxel.
template <typename F>
void Transform(const VolumeView<float>& any_order, const F& f) {
  const VolumeView<float> image = any_order.InMemoryOrder();
  ParallelFor(image.shape[0], [&](int64_t begin, int64_t end) {
    for (int64_t z = begin; z < end; ++z) {
      for (int64_t y = 0; y < image.shape[1]; ++y) {
        float* value = &image.at({{z, y, 0}});
        for (int64_t x = 0; x < image.shape[2]; ++x, value += image.strides[2]) *value = f(*value);
      }
    }
  });
}

struct Extremes {
  float low = std::numeric_limits<float>::infinity();
  float high = -std::numeric_limits<float>::infinity();
};

Extremes ExtremesOf(const VolumeView<float>& any_order) {
  const VolumeView<float> image = any_order.InMemoryOrder();
  Extremes all;
  std::mutex mu;
  ParallelFor(image.shape[0], [&](int64_t begin, int64_t end) {
    Extremes part;
    for (int64_t z = begin; z < end; ++z) {
      for (int64_t y = 0; y < image.shape[1]; ++y) {
        for (int64_t x = 0; x < image.shape[2]; ++x) {
          const float value = image.at({{z, y, x}});
          part.low = std::min(part.low, value);
          part.high = std::max(part.high, value);
        }
      }
    }
    std::lock_guard lock(mu);
    all.low = std::min(all.low, part.low);
    all.high = std::max(all.high, part.high);
  });
  return all;
}

float AtLeastEpsilon(float value) { return std::max(value, static_cast<float>(kEpsilon)); }

void ZScore(const VolumeView<float>& image) {
  const auto [mean, std] = MomentsOf({image.data, image.shape, image.strides});
  const float divisor = AtLeastEpsilon(std);
  Transform(image, [mean = mean, divisor](float x) { return (x - mean) / divisor; });
}

void ZScoreUnderMask(const VolumeView<float>& image, const VolumeView<const uint8_t>& mask) {
  NNSEG_CHECK(mask.shape == image.shape);
  const auto [mean, std] = MaskedMomentsOf({image.data, image.shape, image.strides}, mask);
  const float divisor = AtLeastEpsilon(std);
  ParallelFor(image.shape[0], [&, mean = mean](int64_t begin, int64_t end) {
    for (int64_t z = begin; z < end; ++z) {
      for (int64_t y = 0; y < image.shape[1]; ++y) {
        for (int64_t x = 0; x < image.shape[2]; ++x) {
          float& value = image.at({{z, y, x}});
          if (mask.at({{z, y, x}}) != 0) value = (value - mean) / divisor;
        }
      }
    }
  });
}

void Ct(const IntensityProperties& intensity, const VolumeView<float>& image) {
  const auto low = static_cast<float>(intensity.percentile_00_5);
  const auto high = static_cast<float>(intensity.percentile_99_5);
  const auto mean = static_cast<float>(intensity.mean);
  const auto divisor = static_cast<float>(std::max(intensity.std, kEpsilon));
  Transform(image, [=](float x) {
    const float raised = x > low ? x : low;
    const float clipped = raised < high ? raised : high;
    return (clipped - mean) / divisor;
  });
}

void RescaleTo01(const VolumeView<float>& image) {
  const auto [low, high] = ExtremesOf(image);
  const float divisor = AtLeastEpsilon(high - low);  // rounding is monotonic: the new maximum
  Transform(image, [low = low, divisor](float x) { return (x - low) / divisor; });
}

absl::Status RgbTo01(const ChannelPlan& channel, const VolumeView<float>& image) {
  const auto [low, high] = ExtremesOf(image);
  if (low < 0 || high > 255) {
    return absl::InvalidArgumentError(absl::StrCat("channel ", channel.name, " holds values from ",
                                                   low, " to ", high,
                                                   ", expected 0 to 255 (RGBTo01Normalization)"));
  }
  Transform(image, [](float x) { return x / 255; });
  return absl::OkStatus();
}

}  // namespace

bool NormalizesUnderMask(const ChannelPlan& channel) {
  return channel.normalization == Normalization::kZScore && channel.use_mask;
}

absl::Status NormalizeChannel(const ChannelPlan& channel, const VolumeView<float>& image,
                              const VolumeView<const uint8_t>& mask) {
  switch (channel.normalization) {
    case Normalization::kZScore:
      channel.use_mask ? ZScoreUnderMask(image, mask) : ZScore(image);
      return absl::OkStatus();
    case Normalization::kCt:
      Ct(channel.intensity, image);
      return absl::OkStatus();
    case Normalization::kNone:
      return absl::OkStatus();
    case Normalization::kRescaleTo01:
      RescaleTo01(image);
      return absl::OkStatus();
    case Normalization::kRgbTo01:
      return RgbTo01(channel, image);
  }
  return absl::InternalError("unknown normalisation");
}

}  // namespace nnseg
