#include "core/preprocess/numpy_sum.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/check.h"

namespace nnseg {
namespace {

constexpr int64_t kBlock = 128;        // numpy's PW_BLOCKSIZE
constexpr int64_t kBufferSize = 8192;  // numpy's default buffer, in elements

// numpy's pairwise sum of the next `count` values; next(values, n) delivers n <= kBlock of them.
template <typename Next>
float PairwiseSum(int64_t count, Next& next) {
  if (count > kBlock) {
    const int64_t half = count / 2 - count / 2 % 8;
    const float left = PairwiseSum(half, next);
    return left + PairwiseSum(count - half, next);
  }
  float values[kBlock];
  next(values, count);
  if (count < 8) {
    float sum = -0.0F;
    for (int64_t i = 0; i < count; ++i) sum += values[i];
    return sum;
  }
  float r[8];
  std::copy_n(values, 8, r);
  int64_t i = 8;
  for (; i + 8 <= count; i += 8) {
    for (int64_t j = 0; j < 8; ++j) r[j] += values[i + j];
  }
  float sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
  for (; i < count; ++i) sum += values[i];
  return sum;
}

struct Axis {
  int64_t length, stride;
};

// The view's axes in memory order, outermost first; axes of one voxel dropped, neighbours that
// are contiguous with each other merged. At least one axis.
std::vector<Axis> CoalescedAxes(const VolumeView<const float>& image) {
  const VolumeView<const float> ordered = image.InMemoryOrder();
  std::vector<Axis> merged;
  for (int i = 0; i < 3; ++i) {
    const Axis axis{ordered.shape[i], ordered.strides[i]};
    if (axis.length == 1) continue;
    if (!merged.empty() && merged.back().stride == axis.length * axis.stride) {
      merged.back() = {merged.back().length * axis.length, axis.stride};
    } else {
      merged.push_back(axis);
    }
  }
  if (merged.empty()) merged.push_back({1, 1});
  return merged;
}

// Delivers a view's voxels in memory order.
class MemoryOrderReader {
 public:
  MemoryOrderReader(const float* data, std::vector<Axis> axes)
      : data_(data), axes_(std::move(axes)), index_(axes_.size()) {}

  void operator()(float* values, int64_t count) {
    const Axis inner = axes_.back();
    while (count > 0) {
      int64_t& position = index_.back();
      const int64_t n = std::min(count, inner.length - position);
      const float* const from = row_ + position * inner.stride;
      for (int64_t i = 0; i < n; ++i) values[i] = from[i * inner.stride];
      values += n;
      count -= n;
      position += n;
      if (position == inner.length) NextRow();
    }
  }

 private:
  void NextRow() {
    index_.back() = 0;
    for (std::size_t axis = axes_.size() - 1; axis-- > 0;) {
      if (++index_[axis] < axes_[axis].length) break;
      index_[axis] = 0;
    }
    row_ = data_;
    for (std::size_t axis = 0; axis + 1 < axes_.size(); ++axis) {
      row_ += index_[axis] * axes_[axis].stride;
    }
  }

  const float* data_;
  const float* row_ = data_;
  std::vector<Axis> axes_;
  std::vector<int64_t> index_;
};

// add.reduce over all axes: the rows of numpy's buffered iterator, summed pairwise each.
float Sum(const VolumeView<const float>& image, const std::vector<Axis>& axes) {
  MemoryOrderReader reader(image.data, axes);
  // Rows hold whole blocks of inner axes: as many as the buffer takes, within one index of the
  // axes outside of `split`, along which blocks are counted.
  int64_t block = axes.back().length;
  std::size_t split = axes.size() - 1;
  while (split > 0 && block * axes[split - 1].length <= kBufferSize) block *= axes[--split].length;
  const int64_t blocks = split > 0 ? axes[split - 1].length : 1;
  const int64_t blocks_per_row = std::max<int64_t>(1, kBufferSize / block);
  const int64_t repeats = image.shape.voxels() / (block * blocks);
  float sum = 0;
  for (int64_t i = 0; i < repeats; ++i) {
    for (int64_t done = 0; done < blocks; done += blocks_per_row) {
      sum += PairwiseSum(std::min(blocks_per_row, blocks - done) * block, reader);
    }
  }
  return sum;
}

// Division in double, result in float: numpy divides a float by a 64-bit count.
float Divide(float sum, int64_t count) {
  return static_cast<float>(static_cast<double>(sum) / static_cast<double>(count));
}

// std() of `count` values around `mean`: (x - mean)^2 is a contiguous copy, one pairwise sum.
template <typename Next>
float StandardDeviation(int64_t count, float mean, Next& next) {
  const auto squares = [&](float* values, int64_t n) {
    next(values, n);
    for (int64_t i = 0; i < n; ++i) {
      const float difference = values[i] - mean;
      values[i] = difference * difference;
    }
  };
  return std::sqrt(Divide(0 + PairwiseSum(count, squares), count));
}

// Delivers the voxels of a view under a mask in C order of the view.
class MaskedReader {
 public:
  MaskedReader(const VolumeView<const float>& image, const VolumeView<const uint8_t>& mask)
      : image_(image), mask_(mask) {}

  void operator()(float* values, int64_t count) {
    while (count > 0) {
      if (mask_.at(index_) != 0) {
        *values++ = image_.at(index_);
        --count;
      }
      if (++index_[2] < image_.shape[2]) continue;
      index_[2] = 0;
      if (++index_[1] < image_.shape[1]) continue;
      index_[1] = 0;
      ++index_[0];
    }
  }

 private:
  const VolumeView<const float>& image_;
  const VolumeView<const uint8_t>& mask_;
  Index3 index_{};
};

int64_t CountOf(const VolumeView<const uint8_t>& mask) {
  int64_t count = 0;
  for (int64_t z = 0; z < mask.shape[0]; ++z) {
    for (int64_t y = 0; y < mask.shape[1]; ++y) {
      for (int64_t x = 0; x < mask.shape[2]; ++x) count += mask.at({{z, y, x}}) != 0;
    }
  }
  return count;
}

}  // namespace

NumpyMoments MomentsOf(const VolumeView<const float>& image) {
  const int64_t count = image.shape.voxels();
  NNSEG_CHECK(count > 0);
  const std::vector<Axis> axes = CoalescedAxes(image);
  const float mean = Divide(Sum(image, axes), count);
  MemoryOrderReader reader(image.data, axes);
  return {mean, StandardDeviation(count, mean, reader)};
}

NumpyMoments MaskedMomentsOf(const VolumeView<const float>& image,
                             const VolumeView<const uint8_t>& mask) {
  NNSEG_CHECK(image.shape == mask.shape);
  const int64_t count = CountOf(mask);
  if (count == 0) return {};
  MaskedReader values(image, mask);
  const float mean = Divide(0 + PairwiseSum(count, values), count);
  MaskedReader again(image, mask);
  return {mean, StandardDeviation(count, mean, again)};
}

}  // namespace nnseg
