#include "core/preprocess/numpy_sum.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include "core/base/check.h"
#include "core/base/parallel_for.h"

namespace nnseg {
namespace {

constexpr int64_t kBlock = 128;        // numpy's PW_BLOCKSIZE
constexpr int64_t kBufferSize = 8192;  // numpy's default buffer, in elements

constexpr int64_t kPart = 1 << 14;  // values that one thread sums at a time

// How many of `count` values, more than a block, numpy's pairwise sum puts into its left half.
int64_t LeftHalf(int64_t count) { return count / 2 - count / 2 % 8; }

// numpy's pairwise sum of the next `count` values; next(values, n) delivers n <= kBlock of them.
template <typename Next>
float PairwiseSum(int64_t count, Next& next) {
  if (count > kBlock) {
    const int64_t half = LeftHalf(count);
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

// The parts of at most kPart values that the pairwise sum of `count` values splits into, in order.
void Split(int64_t count, std::vector<int64_t>& parts) {
  if (count <= kPart) {
    parts.push_back(count);
    return;
  }
  Split(LeftHalf(count), parts);
  Split(count - LeftHalf(count), parts);
}

// The pairwise sum of `count` values from the sums of their parts, which it takes off `sums`.
float Join(int64_t count, std::span<const float>& sums) {
  if (count <= kPart) {
    const float sum = sums.front();
    sums = sums.subspan(1);
    return sum;
  }
  const float left = Join(LeftHalf(count), sums);
  return left + Join(count - LeftHalf(count), sums);
}

// Pairwise sums of rows of the given lengths, which follow each other, added up in order from 0.
// reader(first) gives a function as PairwiseSum takes it, for the values from number `first` on.
template <typename Reader>
float SumOfRows(std::span<const int64_t> rows, const Reader& reader) {
  std::vector<int64_t> parts;
  for (const int64_t row : rows) Split(row, parts);
  std::vector<int64_t> first(parts.size());
  std::exclusive_scan(parts.begin(), parts.end(), first.begin(), int64_t{0});
  std::vector<float> sums(parts.size());
  ParallelFor(std::ssize(parts), [&](int64_t begin, int64_t end) {
    auto next = reader(first[begin]);
    for (int64_t i = begin; i < end; ++i) sums[i] = PairwiseSum(parts[i], next);
  });
  std::span<const float> left = sums;
  float sum = 0;
  for (const int64_t row : rows) sum += Join(row, left);
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

// Delivers a view's voxels in memory order, from number `first` on.
class MemoryOrderReader {
 public:
  MemoryOrderReader(const float* data, const std::vector<Axis>& axes, int64_t first)
      : data_(data), axes_(axes), index_(axes.size()) {
    for (std::size_t axis = axes.size(); axis-- > 0;) {
      index_[axis] = first % axes[axis].length;
      first /= axes[axis].length;
    }
    FindRow();
  }

  void operator()(float* values, int64_t count) {
    const Axis inner = axes_.back();
    while (count > 0) {
      int64_t& position = index_.back();
      const int64_t n = std::min(count, inner.length - position);
      const float* const from = row_ + position * inner.stride;
      if (inner.stride == 1) {
        std::copy_n(from, n, values);
      } else {
        for (int64_t i = 0; i < n; ++i) values[i] = from[i * inner.stride];
      }
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
    FindRow();
  }

  void FindRow() {
    row_ = data_;
    for (std::size_t axis = 0; axis + 1 < axes_.size(); ++axis) {
      row_ += index_[axis] * axes_[axis].stride;
    }
  }

  const float* data_;
  const float* row_ = nullptr;
  const std::vector<Axis>& axes_;
  std::vector<int64_t> index_;
};

// Lengths of the rows of numpy's buffered iterator in add.reduce over all axes. Rows hold whole
// blocks of inner axes: as many as the buffer takes, within one index of the axes outside of
// `split`, along which blocks are counted.
std::vector<int64_t> RowsOf(int64_t voxels, const std::vector<Axis>& axes) {
  int64_t block = axes.back().length;
  std::size_t split = axes.size() - 1;
  while (split > 0 && block * axes[split - 1].length <= kBufferSize) block *= axes[--split].length;
  const int64_t blocks = split > 0 ? axes[split - 1].length : 1;
  const int64_t blocks_per_row = std::max<int64_t>(1, kBufferSize / block);
  const int64_t repeats = voxels / (block * blocks);
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < repeats; ++i) {
    for (int64_t done = 0; done < blocks; done += blocks_per_row) {
      rows.push_back(std::min(blocks_per_row, blocks - done) * block);
    }
  }
  return rows;
}

// Division in double, result in float: numpy divides a float by a 64-bit count.
float Divide(float sum, int64_t count) {
  return static_cast<float>(static_cast<double>(sum) / static_cast<double>(count));
}

// std() of `count` values around `mean`: (x - mean)^2 is a contiguous copy, one pairwise sum.
template <typename Reader>
float StandardDeviation(int64_t count, float mean, const Reader& reader) {
  const auto squares = [&](int64_t first) {
    return [mean, next = reader(first)](float* values, int64_t n) mutable {
      next(values, n);
      for (int64_t i = 0; i < n; ++i) {
        const float difference = values[i] - mean;
        values[i] = difference * difference;
      }
    };
  };
  return std::sqrt(Divide(SumOfRows({&count, 1}, squares), count));
}

// The voxels of a view that lie under a mask, in C order of the view.
class MaskedVoxels {
 public:
  MaskedVoxels(const VolumeView<const float>& image, const VolumeView<const uint8_t>& mask)
      : image_(image), mask_(mask), plane_begin_(image.shape[0] + 1) {
    ParallelFor(image.shape[0], [&](int64_t begin, int64_t end) {
      for (int64_t z = begin; z < end; ++z) plane_begin_[z + 1] = CountIn(z);
    });
    std::partial_sum(plane_begin_.begin(), plane_begin_.end(), plane_begin_.begin());
  }

  int64_t count() const { return plane_begin_.back(); }

  // Delivers them from number `first` on.
  class Reader {
   public:
    Reader(const MaskedVoxels& voxels, int64_t first) : voxels_(voxels) {
      const std::vector<int64_t>& begins = voxels.plane_begin_;
      index_[0] = std::upper_bound(begins.begin(), begins.end(), first) - begins.begin() - 1;
      for (int64_t i = begins[index_[0]]; i < first; ++i) Next();
    }

    void operator()(float* values, int64_t count) {
      for (int64_t i = 0; i < count; ++i) values[i] = Next();
    }

   private:
    float Next() {
      for (;;) {
        const Index3 at = index_;
        Step();
        if (voxels_.mask_.at(at) != 0) return voxels_.image_.at(at);
      }
    }

    void Step() {
      const Shape3& shape = voxels_.image_.shape;
      if (++index_[2] < shape[2]) return;
      index_[2] = 0;
      if (++index_[1] < shape[1]) return;
      index_[1] = 0;
      ++index_[0];
    }

    const MaskedVoxels& voxels_;
    Index3 index_{};
  };

 private:
  int64_t CountIn(int64_t z) const {
    int64_t count = 0;
    for (int64_t y = 0; y < mask_.shape[1]; ++y) {
      for (int64_t x = 0; x < mask_.shape[2]; ++x) count += mask_.at({{z, y, x}}) != 0;
    }
    return count;
  }

  const VolumeView<const float>& image_;
  const VolumeView<const uint8_t>& mask_;
  std::vector<int64_t> plane_begin_;  // voxels under the mask before each plane of axis 0, and all
};

}  // namespace

NumpyMoments MomentsOf(const VolumeView<const float>& image) {
  const int64_t count = image.shape.voxels();
  NNSEG_CHECK(count > 0);
  const std::vector<Axis> axes = CoalescedAxes(image);
  const auto reader = [&](int64_t first) { return MemoryOrderReader(image.data, axes, first); };
  const float mean = Divide(SumOfRows(RowsOf(count, axes), reader), count);
  return {mean, StandardDeviation(count, mean, reader)};
}

NumpyMoments MaskedMomentsOf(const VolumeView<const float>& image,
                             const VolumeView<const uint8_t>& mask) {
  NNSEG_CHECK(image.shape == mask.shape);
  const MaskedVoxels voxels(image, mask);
  const int64_t count = voxels.count();
  if (count == 0) return {};
  const auto reader = [&](int64_t first) { return MaskedVoxels::Reader(voxels, first); };
  const float mean = Divide(SumOfRows({&count, 1}, reader), count);
  return {mean, StandardDeviation(count, mean, reader)};
}

}  // namespace nnseg
