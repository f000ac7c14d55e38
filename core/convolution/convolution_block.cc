#include "core/convolution/convolution_block.h"

#include <immintrin.h>

#include <cmath>
#include <utility>

#include "core/base/check.h"
#include "core/base/parallel_for.h"
#include "core/convolution/channel_moments.h"

namespace nnseg {
namespace {

using Convolution = std::variant<WinogradConvolution, DirectConvolution>;

Convolution ChooseConvolution(const ConvolutionBlockSpec& spec, std::span<const float> weights) {
  const ConvolutionShape& shape = spec.shape;
  if (WinogradConvolution::Suits(shape)) return WinogradConvolution(shape, weights, spec.products);
  NNSEG_CHECK(DirectConvolution::Suits(shape));
  return DirectConvolution(shape, weights, spec.products);
}

// values = f((values - mean) * scale + offset), f the leaky ReLU.
void Normalize(std::span<float> values, float mean, float scale, float offset, float slope) {
  constexpr std::size_t kLanes = 8;
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    const __m256 centred = _mm256_sub_ps(_mm256_loadu_ps(&values[i]), _mm256_set1_ps(mean));
    const __m256 normal = _mm256_fmadd_ps(centred, _mm256_set1_ps(scale), _mm256_set1_ps(offset));
    const __m256 low = _mm256_mul_ps(normal, _mm256_set1_ps(slope));
    _mm256_storeu_ps(&values[i], _mm256_blendv_ps(normal, low, normal));  // the sign bit chooses
  }
  for (; i < values.size(); ++i) {
    const float normal = std::fma(values[i] - mean, scale, offset);
    values[i] = std::signbit(normal) ? normal * slope : normal;
  }
}

}  // namespace

bool ConvolutionBlock::Suits(const ConvolutionShape& shape) {
  return WinogradConvolution::Suits(shape) || DirectConvolution::Suits(shape);
}

ConvolutionBlock::ConvolutionBlock(ConvolutionBlockSpec spec, std::span<const float> weights)
    : spec_(std::move(spec)), convolution_(ChooseConvolution(spec_, weights)) {
  const int64_t channels = spec_.shape.output_channels;
  NNSEG_CHECK(std::ssize(spec_.bias) == channels);
  NNSEG_CHECK(!spec_.norm.has_value() || (std::ssize(spec_.norm->scale) == channels &&
                                          std::ssize(spec_.norm->offset) == channels));
}

void ConvolutionBlock::Run(std::span<const float* const> inputs, float* output) const {
  std::vector<ChannelMoments> moments;  // empty: not known yet
  if (const auto* const winograd = std::get_if<WinogradConvolution>(&convolution_)) {
    moments = winograd->Run(inputs, spec_.bias, output);
  } else {
    std::get<DirectConvolution>(convolution_).Run(inputs, spec_.bias, output);
  }
  if (!spec_.norm.has_value() && spec_.negative_slope == 1) return;
  const int64_t voxels = spec_.shape.output().voxels();
  ParallelFor(spec_.shape.output_channels, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      const std::span<float> channel(output + c * voxels, static_cast<std::size_t>(voxels));
      if (!spec_.norm.has_value()) {
        Normalize(channel, 0, 1, 0, spec_.negative_slope);
        continue;
      }
      const ChannelMoments known = moments.empty() ? ChannelMomentsOf(channel) : moments[c];
      const double deviation = std::sqrt(known.variance() + spec_.norm->epsilon);
      Normalize(channel, static_cast<float>(known.mean()),
                static_cast<float>(spec_.norm->scale[c] / deviation), spec_.norm->offset[c],
                spec_.negative_slope);
    }
  });
}

}  // namespace nnseg
