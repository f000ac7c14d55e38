#ifndef NNSEG_CORE_CONVOLUTION_PACKED_ROWS_H_
#define NNSEG_CORE_CONVOLUTION_PACKED_ROWS_H_

#include <algorithm>
#include <cstdint>

#include "core/convolution/scratch.h"
#include "core/convolution/tile_product.h"

namespace nnseg {

/// Matrices (rows x channels) as TileProduct takes them: groups of kProductRows rows, the last one
/// filled up with zeros; each is channels x kProductRows. Several matrices of one size lie
/// together.
class PackedRows {
 public:
  PackedRows(int64_t matrices, int64_t rows, int64_t channels)
      : matrices_(matrices),
        groups_((rows + kProductRows - 1) / kProductRows),
        channels_(channels),
        values_(AllocateFloats(size())) {
    std::fill_n(values_.get(), size(), 0.0F);
  }

  int64_t groups() const { return groups_; }
  float& at(int64_t matrix, int64_t row, int64_t channel) {
    return values_[(Begin(row / kProductRows, matrix) + channel * kProductRows) +
                   row % kProductRows];
  }
  const float* Group(int64_t group, int64_t matrix = 0) const {
    return values_.get() + Begin(group, matrix);
  }

 private:
  int64_t size() const { return groups_ * matrices_ * channels_ * kProductRows; }
  int64_t Begin(int64_t group, int64_t matrix) const {
    return (group * matrices_ + matrix) * channels_ * kProductRows;
  }

  int64_t matrices_;
  int64_t groups_;
  int64_t channels_;
  VoxelMemory<float> values_;  // groups x matrices x channels x kProductRows
};

}  // namespace nnseg

#endif  // NNSEG_CORE_CONVOLUTION_PACKED_ROWS_H_
