#include "core/convolution/direct_convolution.h"

#include <immintrin.h>

#include <algorithm>

#include "core/base/check.h"
#include "core/base/parallel_for.h"
#include "core/convolution/row_runs.h"
#include "core/convolution/tile_product.h"

namespace nnseg {
namespace {

// to[i] = from[i * stride]
void CopyStrided(const float* from, int64_t stride, int64_t count, float* to) {
  int64_t i = 0;
  if (stride == 1) {
    std::copy_n(from, count, to);
    return;
  }
  if (stride == 2) {
    constexpr int64_t kLanes = 8;
    // The last vector would read one number more than there is.
    for (; i + kLanes < count; i += kLanes) {
      const __m256 low = _mm256_loadu_ps(from + 2 * i);
      const __m256 high = _mm256_loadu_ps(from + 2 * i + kLanes);
      const __m256d even = _mm256_castps_pd(_mm256_shuffle_ps(low, high, 0b10001000));
      _mm256_storeu_ps(to + i, _mm256_castpd_ps(_mm256_permute4x64_pd(even, 0b11011000)));
    }
  }
  for (; i < count; ++i) to[i] = from[i * stride];
}

}  // namespace

bool DirectConvolution::Suits(const ConvolutionShape& shape) {
  constexpr int64_t kMaxWeights = int64_t{1} << 18;
  constexpr int64_t kMinOutputs = int64_t{1} << 12;
  return shape.weights() <= kMaxWeights && shape.output().voxels() >= kMinOutputs;
}

DirectConvolution::DirectConvolution(const ConvolutionShape& shape, std::span<const float> weights,
                                     ProductPrecision precision)
    : shape_(shape),
      precision_(precision),
      depth_(shape.input_channels * shape.kernel.voxels()),
      kernels_(precision, 1, shape.output_channels, depth_) {
  NNSEG_CHECK(std::ssize(weights) == shape.weights());
  for (int64_t row = 0; row < shape.output_channels; ++row) {
    for (int64_t k = 0; k < depth_; ++k) kernels_.Set(0, row, k, weights[row * depth_ + k]);
  }
}

void DirectConvolution::Gather(std::span<const float* const> inputs, int64_t begin, int64_t end,
                               float* columns) const {
  const Shape3& input = shape_.input;
  const Shape3& kernel = shape_.kernel;
  const Shape3& stride = shape_.stride;
  ForEachRowRun(shape_.output(), begin, end, [&](const RowRun& run) {
    Index3 corner;  // of the inputs of the run's first output
    for (int axis = 0; axis < 3; ++axis) {
      corner[axis] = run.begin[axis] * stride[axis] - kernel[axis] / 2;
    }
    float* column = columns + run.column;
    for (const float* const channel : inputs) {
      for (int64_t z = corner[0]; z < corner[0] + kernel[0]; ++z) {
        for (int64_t y = corner[1]; y < corner[1] + kernel[1]; ++y) {
          const bool inside = z >= 0 && z < input[0] && y >= 0 && y < input[1];
          const float* const row = inside ? channel + (z * input[1] + y) * input[2] : nullptr;
          for (int64_t x = corner[2]; x < corner[2] + kernel[2]; ++x) {
            GatherRow(row, x, run.length, column);
            column += kProductColumns;
          }
        }
      }
    }
  });
}

void DirectConvolution::GatherRow(const float* row, int64_t x, int64_t count, float* to) const {
  const int64_t width = row != nullptr ? shape_.input[2] : 0;
  const int64_t stride = shape_.stride[2];
  // Those that lie in the row.
  const int64_t first = std::min(x < 0 ? (-x + stride - 1) / stride : 0, count);
  const int64_t last = std::clamp((width - x + stride - 1) / stride, first, count);
  std::fill(to, to + first, 0.0F);
  if (last > first) CopyStrided(row + x + first * stride, stride, last - first, to + first);
  std::fill(to + last, to + count, 0.0F);
}

void DirectConvolution::Run(std::span<const float* const> inputs, std::span<const float> bias,
                            float* output) const {
  NNSEG_CHECK(std::ssize(inputs) == shape_.input_channels);
  const Shape3 shape = shape_.output();
  const int64_t voxels = shape.voxels();
  const TileProduct multiply = ChooseTileProduct(precision_);
  ParallelFor((voxels + kProductColumns - 1) / kProductColumns, [&](int64_t first, int64_t last) {
    float* const columns = Scratch((depth_ + kProductRows) * kProductColumns);
    float* const products = columns + depth_ * kProductColumns;
    for (int64_t batch = first; batch < last; ++batch) {
      const int64_t begin = batch * kProductColumns;
      const int64_t end = std::min(begin + kProductColumns, voxels);
      Gather(inputs, begin, end, columns);
      PackColumns(precision_, depth_, columns);
      for (int64_t group = 0; group < kernels_.groups(); ++group) {
        multiply(kernels_.Group(group), columns, kernels_.words(), products);
        for (int64_t i = 0; i < kProductRows; ++i) {
          const int64_t c = group * kProductRows + i;
          if (c == shape_.output_channels) break;
          const float* const product = products + i * kProductColumns;
          float* const to = output + c * voxels + begin;
          for (int64_t k = 0; k < end - begin; ++k) to[k] = product[k] + bias[c];
        }
      }
    }
  });
}

}  // namespace nnseg
