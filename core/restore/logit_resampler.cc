#include "core/restore/logit_resampler.h"

#include <utility>
#include <vector>

#include "core/resample/plane_interpolator.h"

namespace nnseg {
namespace {

class SplineResampler : public LogitResampler {
 public:
  SplineResampler(const Shape3& input, std::array<AxisOperator, 3> axes)
      : input_(input), axes_(std::move(axes)) {}

  std::array<int64_t, 2> InputPlanes(int64_t k) const override {
    return {axes_[0].indices(k).front(), axes_[0].indices(k).back()};
  }

  void Resample(int64_t channel, int64_t k, const std::array<LogitPlane, 2>& planes,
                std::span<float> out) const override {
    std::vector<PlaneTap<Half>> taps;
    taps.reserve(axes_[0].taps());
    for (int t = 0; t < axes_[0].taps(); ++t) {
      taps.push_back({planes[t].channel(channel), input_[2], 1, axes_[0].weights(k)[t]});
    }
    std::vector<double> sums(out.size());
    std::vector<Half> logits(out.size());
    PlaneInterpolator(axes_[1], axes_[2]).Interpolate<Half>(taps, sums);
    ToHalf(sums, logits);
    ToFloat(logits, out);
  }

 private:
  const Shape3 input_;
  const std::array<AxisOperator, 3> axes_;
};

class TorchResampler : public LogitResampler {
 public:
  explicit TorchResampler(TorchInterpolation interpolation)
      : interpolation_(std::move(interpolation)) {}

  std::array<int64_t, 2> InputPlanes(int64_t k) const override { return interpolation_.planes(k); }

  void Resample(int64_t channel, int64_t k, const std::array<LogitPlane, 2>& planes,
                std::span<float> out) const override {
    const int64_t columns = interpolation_.input()[2];
    TorchInterpolation::Scratch scratch;
    interpolation_.Rows<Half>(
        channel, k,
        {{{planes[0].channel(channel), columns, 1}, {planes[1].channel(channel), columns, 1}}}, 0,
        interpolation_.output()[1], scratch, out);
  }

 private:
  const TorchInterpolation interpolation_;
};

}  // namespace

std::unique_ptr<LogitResampler> LogitResampler::Spline(const Shape3& input,
                                                       std::array<AxisOperator, 3> axes) {
  return std::make_unique<SplineResampler>(input, std::move(axes));
}

std::unique_ptr<LogitResampler> LogitResampler::Torch(TorchInterpolation interpolation) {
  return std::make_unique<TorchResampler>(std::move(interpolation));
}

}  // namespace nnseg
