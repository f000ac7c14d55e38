#include "core/convolution/winograd_convolution.h"

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

int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

int KernelDepth(const ConvolutionShape& shape) { return static_cast<int>(shape.kernel[0]); }

}  // namespace

/// One pass over the volume. Strips, the eight tiles of a WinogradTiles, are numbered along axis 2
/// first and taken in batches; a few batches make a part, which leaves its sums by output channel.
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
        strips_(columns_ * rows_ * CeilDivide(shape_.input[0], WinogradTiles::TileDepth(depth_))),
        input_stride_(words_ * kProductColumns + kPad),
        groups_at_once_(points_ * input_stride_ * static_cast<int64_t>(sizeof(float)) > kCachedBytes
                            ? kernels_.groups()
                            : 1),
        product_stride_(groups_at_once_ * kGroupProducts + kPad),
        parts_(CeilDivide(strips_, kStripsPerBatch * kBatchesPerPart)),
        sums_(static_cast<std::size_t>(parts_ * shape_.output_channels)) {}

  void Run() {
    ParallelFor(parts_, [&](int64_t begin, int64_t end) {
      float* const inputs =
          Scratch(points_ * input_stride_ + (2 * kPlanePoints + 4) * product_stride_);
      float* const products = inputs + points_ * input_stride_;
      for (int64_t batch = begin * kBatchesPerPart; batch < end * kBatchesPerPart; ++batch) {
        if (batch * kStripsPerBatch < strips_) RunBatch(batch, inputs, products);
      }
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
  void RunBatch(int64_t batch, float* inputs, float* products) {
    std::array<std::optional<WinogradTiles>, kStripsPerBatch> strips;
    const int64_t first = batch * kStripsPerBatch;
    const int64_t count = std::min(kStripsPerBatch, strips_ - first);
    for (int64_t i = 0; i < count; ++i) {
      strips[i].emplace(shape_.input, depth_, FirstOutput(first + i));
    }
    for (int64_t word = 0; word < words_; ++word) {
      float* const to = inputs + word * kProductColumns;
      for (int64_t i = 0; i < count; ++i) {
        float* const points = to + i * WinogradTiles::kTiles;
        if (precision_ == ProductPrecision::kFp32) {
          if (word + 1 < words_) strips[i]->Prefetch(inputs_[word + 1]);
          strips[i]->TransformInput(inputs_[word], points, input_stride_);
          continue;
        }
        const int64_t c = 2 * word;
        for (int64_t next = c + 2; next < std::min(c + 4, shape_.input_channels); ++next) {
          strips[i]->Prefetch(inputs_[next]);
        }
        // Where channels are odd, the last one's partner has weights of zero.
        const float* const second = c + 1 < shape_.input_channels ? inputs_[c + 1] : inputs_[c];
        strips[i]->TransformInputPair(inputs_[c], second, points, input_stride_);
      }
    }
    ChannelSums* const sums = &sums_[batch / kBatchesPerPart * shape_.output_channels];
    for (int64_t group = 0; group < kernels_.groups(); group += groups_at_once_) {
      Multiply(group, inputs, products);
      const int64_t begin = group * kProductRows;
      const int64_t end = std::min(shape_.output_channels, begin + groups_at_once_ * kProductRows);
      for (int64_t c = begin; c < end; ++c) {
        const float* const from = products + (c - begin) * kProductColumns;
        float* const channel = output_ + c * shape_.input.voxels();
        for (int64_t i = 0; i < count; ++i) {
          strips[i]->TransformOutput(from + i * WinogradTiles::kTiles, product_stride_, bias_[c],
                                     channel, sums[c]);
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

  Index3 FirstOutput(int64_t strip) const {
    return {{strip / columns_ / rows_ * WinogradTiles::TileDepth(depth_),
             strip / columns_ % rows_ * 2, strip % columns_ * WinogradTiles::kWidth}};
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
  const int64_t strips_;
  const int64_t input_stride_;  // floats between points of transformed inputs
  const int64_t groups_at_once_;
  const int64_t product_stride_;  // floats between points of products
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
  return filled(0, WinogradTiles::TileDepth(KernelDepth(shape))) * filled(1, 2) *
             filled(2, WinogradTiles::kWidth) >=
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
