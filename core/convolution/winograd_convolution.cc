#include "core/convolution/winograd_convolution.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/check.h"
#include "core/base/parallel_for.h"
#include "core/convolution/scratch.h"
#include "core/convolution/tile_product.h"
#include "core/convolution/winograd_tiles.h"

namespace nnseg {
namespace {

constexpr int64_t kStripsPerBatch = kProductColumns / WinogradTiles::kTiles;
constexpr int64_t kBatchesPerPart = 4;
constexpr int64_t kGroupProducts = kProductRows * kProductColumns;
constexpr int64_t kPlanePoints = 16;  // points of a tile that differ along axes 1 and 2
constexpr int64_t kPad = 16;  // floats between points: without, all fall into the same cache sets
// Transformed inputs of a batch up to this size stay in a core's cache while group after group of
// output channels reads them.
constexpr int64_t kCachedBytes = int64_t{384} << 10;
// Transformed inputs of several batches up to this size are still there when the last is read.
constexpr int64_t kCachedBatchBytes = int64_t{576} << 10;
// Outputs of more than this have left all caches before the next layer reads them.
constexpr int64_t kCacheableBytes = int64_t{64} << 20;

int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

int KernelDepth(const ConvolutionShape& shape) { return static_cast<int>(shape.kernel[0]); }

}  // namespace

/// One pass over the volume. Strips, the eight tiles of a WinogradTiles, are numbered so that those
/// whose inputs are transformed together follow each other, otherwise along axis 2 first. They are
/// taken in batches; a few batches make a part, which leaves its sums by output channel.
class WinogradConvolution::Sweep {
 public:
  Sweep(const WinogradConvolution& convolution, std::span<const float* const> inputs,
        std::span<const float> bias, float* output)
      : kernels_(convolution.kernels_),
        shape_(convolution.shape_),
        inputs_(inputs),
        bias_(bias),
        output_(output),
        precision_(convolution.precision_),
        words_(kernels_.words()),
        multiply_(ChooseTileProduct(precision_)),
        depth_(KernelDepth(shape_)),
        points_(WinogradTiles::Points(depth_)),
        columns_(CeilDivide(shape_.input[2], WinogradTiles::kWidth)),
        rows_(CeilDivide(shape_.input[1], 2)),
        together_(WinogradTiles::TilesTogether(depth_)),
        strips_(columns_ * rows_ * together_ *
                CeilDivide(shape_.input[0], WinogradTiles::TileDepth(depth_) * together_)),
        input_stride_(words_ * kProductColumns + kPad),
        batch_stride_(points_ * input_stride_),
        batches_at_once_(BatchesAtOnce(batch_stride_)),
        groups_at_once_(batch_stride_ * static_cast<int64_t>(sizeof(float)) > kCachedBytes
                            ? kernels_.groups()
                            : 1),
        product_stride_(groups_at_once_ * kGroupProducts + kPad),
        past_caches_(shape_.output_channels * shape_.input.voxels() *
                         static_cast<int64_t>(sizeof(float)) >
                     kCacheableBytes),
        parts_(CeilDivide(strips_, kStripsPerBatch * kBatchesPerPart)),
        sums_(static_cast<std::size_t>(parts_ * shape_.output_channels)) {}

  void Run() {
    ParallelFor(parts_, [&](int64_t begin, int64_t end) {
      float* const inputs =
          Scratch(batches_at_once_ * batch_stride_ + (2 * kPlanePoints + 4) * product_stride_);
      float* const products = inputs + batches_at_once_ * batch_stride_;
      for (int64_t batch = begin * kBatchesPerPart; batch < end * kBatchesPerPart;
           batch += batches_at_once_) {
        if (batch * kStripsPerBatch < strips_) RunBatches(batch, inputs, products);
      }
      if (past_caches_) _mm_sfence();
    });
  }

  std::vector<ChannelMoments> Moments() const {
    std::vector<ChannelMoments> moments(shape_.output_channels);
    ParallelFor(shape_.output_channels, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) {
        for (int64_t part = 0; part < parts_; ++part) {
          moments[c].Add(sums_[part * shape_.output_channels + c]);
        }
      }
    });
    return moments;
  }

 private:
  using Strips = std::array<std::optional<WinogradTiles>, kStripsPerBatch * kBatchesPerPart>;

  // Batches whose inputs are transformed channel by channel together.
  void RunBatches(int64_t first_batch, float* inputs, float* products) {
    Strips strips;
    const int64_t first = first_batch * kStripsPerBatch;
    const int64_t count = std::min(batches_at_once_ * kStripsPerBatch, strips_ - first);
    for (int64_t i = 0; i < count; ++i) {
      strips[i].emplace(shape_.input, depth_, FirstOutput(first + i));
    }
    for (int64_t word = 0; word < words_; ++word) {
      for (int64_t i = 0; i < count; i += together_) {
        TransformInput(word, *strips[i],
                       inputs + i / kStripsPerBatch * batch_stride_ + word * kProductColumns +
                           i % kStripsPerBatch * WinogradTiles::kTiles);
      }
    }
    for (int64_t i = 0; i < count; i += kStripsPerBatch) {
      FinishBatch(first_batch + i / kStripsPerBatch,
                  std::span(strips).subspan(i, std::min(kStripsPerBatch, count - i)),
                  inputs + i / kStripsPerBatch * batch_stride_, products);
    }
  }

  void TransformInput(int64_t word, const WinogradTiles& tiles, float* points) const {
    if (precision_ == ProductPrecision::kFp32) {
      if (word + 1 < words_) tiles.Prefetch(inputs_[word + 1]);
      tiles.TransformInput(inputs_[word], points, input_stride_);
      return;
    }
    const int64_t c = 2 * word;
    for (int64_t next = c + 2; next < std::min(c + 4, shape_.input_channels); ++next) {
      tiles.Prefetch(inputs_[next]);
    }
    // Where channels are odd, the last one's partner has weights of zero.
    const float* const second = c + 1 < shape_.input_channels ? inputs_[c + 1] : inputs_[c];
    tiles.TransformInputPair(inputs_[c], second, points, input_stride_);
  }

  void FinishBatch(int64_t batch, std::span<const std::optional<WinogradTiles>> strips,
                   const float* inputs, float* products) {
    ChannelSums* const sums = &sums_[batch / kBatchesPerPart * shape_.output_channels];
    for (int64_t group = 0; group < kernels_.groups(); group += groups_at_once_) {
      Multiply(group, inputs, products);
      const int64_t begin = group * kProductRows;
      const int64_t end = std::min(shape_.output_channels, begin + groups_at_once_ * kProductRows);
      for (int64_t c = begin; c < end; ++c) {
        const float* const from = products + (c - begin) * kProductColumns;
        float* const channel = output_ + c * shape_.input.voxels();
        for (std::size_t i = 0; i < strips.size(); ++i) {
          strips[i]->TransformOutput(from + i * WinogradTiles::kTiles, product_stride_, bias_[c],
                                     past_caches_, channel, sums[c]);
        }
      }
    }
  }

  // The products of groups_at_once_ groups of output channels from the first on, as
  // TransformOutput takes them.
  void Multiply(int64_t first_group, const float* inputs, float* products) const {
    if (depth_ == 1) {
      for (int64_t point = 0; point < kPlanePoints; ++point) {
        MultiplyPoint(first_group, point, inputs, products + point * product_stride_);
      }
      return;
    }
    float* const planes = products + 2 * kPlanePoints * product_stride_;
    for (int64_t point = 0; point < kPlanePoints; ++point) {
      for (int64_t i = 0; i < 4; ++i) {
        MultiplyPoint(first_group, i * kPlanePoints + point, inputs, planes + i * product_stride_);
      }
      WinogradTiles::CombinePlanes(planes, product_stride_, groups_at_once_ * kGroupProducts,
                                   products + point * product_stride_,
                                   products + (kPlanePoints + point) * product_stride_);
    }
  }

  void MultiplyPoint(int64_t first_group, int64_t point, const float* inputs,
                     float* products) const {
    for (int64_t group = 0; group < groups_at_once_; ++group) {
      multiply_(kernels_.Group(first_group + group, point), inputs + point * input_stride_, words_,
                products + group * kGroupProducts);
    }
  }

  // As many as fit in the cache, for they read the same lines of memory at their borders.
  static int64_t BatchesAtOnce(int64_t floats) {
    int64_t batches = kBatchesPerPart;
    while (batches > 1 &&
           batches * floats * static_cast<int64_t>(sizeof(float)) > kCachedBatchBytes) {
      batches /= 2;
    }
    return batches;
  }

  Index3 FirstOutput(int64_t strip) const {
    const int64_t group = strip / together_;
    const int64_t plane = group / columns_ / rows_ * together_ + strip % together_;
    return {{plane * WinogradTiles::TileDepth(depth_), group / columns_ % rows_ * 2,
             group % columns_ * WinogradTiles::kWidth}};
  }

  const PackedRows& kernels_;
  const ConvolutionShape& shape_;
  const std::span<const float* const> inputs_;
  const std::span<const float> bias_;
  float* const output_;
  const ProductPrecision precision_;
  const int64_t words_;  // of a tile's point
  const TileProduct multiply_;
  const int depth_;
  const int64_t points_;
  const int64_t columns_;  // strips along axis 2
  const int64_t rows_;     // strips along axis 1
  const int64_t together_;
  const int64_t strips_;
  const int64_t input_stride_;  // floats between points of transformed inputs
  const int64_t batch_stride_;  // floats between batches of transformed inputs
  const int64_t batches_at_once_;
  const int64_t groups_at_once_;
  const int64_t product_stride_;  // floats between points of products
  const bool past_caches_;
  const int64_t parts_;
  std::vector<ChannelSums> sums_;  // parts x output channels
};

bool WinogradConvolution::Takes(const ConvolutionShape& shape) {
  const Shape3& kernel = shape.kernel;
  return (kernel[0] == 1 || kernel[0] == 3) && kernel[1] == 3 && kernel[2] == 3 &&
         shape.stride == Shape3{{1, 1, 1}};
}

bool WinogradConvolution::Suits(const ConvolutionShape& shape) {
  if (!Takes(shape) || shape.output_channels < kProductRows) return false;
  constexpr double kMinFilled = 0.7;
  const auto filled = [&](int axis, int64_t tile) {
    const int64_t size = shape.input[axis];
    return static_cast<double>(size) / static_cast<double>(CeilDivide(size, tile) * tile);
  };
  const int depth = KernelDepth(shape);
  return filled(0, WinogradTiles::TileDepth(depth) * WinogradTiles::TilesTogether(depth)) *
             filled(1, 2) * filled(2, WinogradTiles::kWidth) >=
         kMinFilled;
}

WinogradConvolution::WinogradConvolution(const ConvolutionShape& shape,
                                         std::span<const float> weights, ProductPrecision precision)
    : shape_(shape),
      precision_(precision),
      kernels_(precision, WinogradTiles::Points(KernelDepth(shape)), shape.output_channels,
               shape.input_channels) {
  NNSEG_CHECK(Takes(shape));
  NNSEG_CHECK(std::ssize(weights) == shape.weights());
  const int64_t size = shape.kernel.voxels();
  ParallelFor(shape.output_channels, [&](int64_t begin, int64_t end) {
    std::vector<float> points(WinogradTiles::Points(KernelDepth(shape)));
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t c = 0; c < shape.input_channels; ++c) {
        const auto kernel = weights.subspan((row * shape.input_channels + c) * size, size);
        WinogradTiles::TransformKernel(KernelDepth(shape), kernel, points);
        for (std::size_t i = 0; i < points.size(); ++i) kernels_.Set(i, row, c, points[i]);
      }
    }
  });
}

std::vector<ChannelMoments> WinogradConvolution::Run(std::span<const float* const> inputs,
                                                     std::span<const float> bias,
                                                     float* output) const {
  NNSEG_CHECK(std::ssize(inputs) == shape_.input_channels);
  NNSEG_CHECK(std::ssize(bias) == shape_.output_channels);
  Sweep sweep(*this, inputs, bias, output);
  sweep.Run();
  return sweep.Moments();
}

}  // namespace nnseg
