#include "core/convolution/transposed_convolution.h"

#include <immintrin.h>

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/parallel_for.h"
#include "core/convolution/row_runs.h"
#include "core/convolution/tile_product.h"

namespace nnseg {
namespace {

// to = first[0], second[0], first[1], second[1], ..., plus `bias` each.
void Interleave(const float* first, const float* second, int64_t count, float bias, float* to) {
  constexpr int64_t kLanes = 8;
  const __m256 biases = _mm256_set1_ps(bias);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const __m256 even = _mm256_add_ps(_mm256_loadu_ps(first + i), biases);
    const __m256 odd = _mm256_add_ps(_mm256_loadu_ps(second + i), biases);
    const __m256 low = _mm256_unpacklo_ps(even, odd);
    const __m256 high = _mm256_unpackhi_ps(even, odd);
    _mm256_storeu_ps(to + 2 * i, _mm256_permute2f128_ps(low, high, 0x20));
    _mm256_storeu_ps(to + 2 * i + kLanes, _mm256_permute2f128_ps(low, high, 0x31));
  }
  for (; i < count; ++i) {
    to[2 * i] = first[i] + bias;
    to[2 * i + 1] = second[i] + bias;
  }
}

}  // namespace

bool TransposedConvolution::Suits(const TransposedConvolutionShape& shape) {
  constexpr int64_t kMinInputs = int64_t{1} << 9;
  const auto is_small = [](int64_t size) { return size == 1 || size == 2; };
  return std::all_of(shape.kernel.begin(), shape.kernel.end(), is_small) &&
         shape.input.voxels() >= kMinInputs;
}

TransposedConvolution::TransposedConvolution(const TransposedConvolutionShape& shape,
                                             std::span<const float> weights,
                                             std::vector<float> bias, ProductPrecision precision)
    : shape_(shape),
      precision_(precision),
      bias_(std::move(bias)),
      kernels_(precision, 1, shape.output_channels * shape.kernel.voxels(), shape.input_channels) {
  const int64_t rows = shape.output_channels * shape.kernel.voxels();
  NNSEG_CHECK(std::ssize(weights) == shape.input_channels * rows);
  NNSEG_CHECK(std::ssize(bias_) == shape.output_channels);
  for (int64_t c = 0; c < shape.input_channels; ++c) {
    for (int64_t row = 0; row < rows; ++row) kernels_.Set(0, row, c, weights[c * rows + row]);
  }
}

void TransposedConvolution::Run(std::span<const float* const> inputs, float* output) const {
  NNSEG_CHECK(std::ssize(inputs) == shape_.input_channels);
  const int64_t voxels = shape_.input.voxels();
  const TileProduct multiply = ChooseTileProduct(precision_);
  ParallelFor((voxels + kProductColumns - 1) / kProductColumns, [&](int64_t first, int64_t last) {
    float* const columns = Scratch((shape_.input_channels + kProductRows) * kProductColumns);
    float* const products = columns + shape_.input_channels * kProductColumns;
    for (int64_t batch = first; batch < last; ++batch) {
      const int64_t begin = batch * kProductColumns;
      const int64_t end = std::min(begin + kProductColumns, voxels);
      for (int64_t c = 0; c < shape_.input_channels; ++c) {
        std::copy_n(inputs[c] + begin, end - begin, columns + c * kProductColumns);
      }
      PackColumns(precision_, shape_.input_channels, columns);
      for (int64_t group = 0; group < kernels_.groups(); ++group) {
        multiply(kernels_.Group(group), columns, kernels_.words(), products);
        Scatter(products, group, begin, end, output);
      }
    }
  });
}

void TransposedConvolution::Scatter(const float* products, int64_t group, int64_t begin,
                                    int64_t end, float* output) const {
  const Shape3& kernel = shape_.kernel;
  const Shape3 shape = shape_.output();
  for (int64_t i = 0; i < kProductRows; i += kernel[2]) {
    const int64_t row = group * kProductRows + i;
    const int64_t channel = row / kernel.voxels();
    if (channel == shape_.output_channels) return;
    const int64_t tap0 = row / (kernel[2] * kernel[1]) % kernel[0];
    const int64_t tap1 = row / kernel[2] % kernel[1];
    const float bias = bias_[channel];
    ForEachRowRun(shape_.input, begin, end, [&](const RowRun& run) {
      const float* const from = products + i * kProductColumns + run.column;
      float* const to = output +
                        ((channel * shape[0] + run.begin[0] * kernel[0] + tap0) * shape[1] +
                         run.begin[1] * kernel[1] + tap1) *
                            shape[2] +
                        run.begin[2] * kernel[2];
      if (kernel[2] == 2) {
        Interleave(from, from + kProductColumns, run.length, bias, to);
      } else {
        for (int64_t k = 0; k < run.length; ++k) to[k] = from[k] + bias;
      }
    });
  }
}

}  // namespace nnseg
