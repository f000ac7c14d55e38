#ifndef NNSEG_CORE_CONVOLUTION_PACKED_ROWS_H_
#define NNSEG_CORE_CONVOLUTION_PACKED_ROWS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/convolution/scratch.h"
#include "core/convolution/tile_product.h"

namespace nnseg {

/// Matrices (rows x channels) as TileProduct takes them: groups of kProductRows rows, the last one
/// filled up with zeros; each is words x kProductRows. Several matrices of one size lie together.
class PackedRows {
 public:
  PackedRows(ProductPrecision precision, int64_t matrices, int64_t rows, int64_t channels)
      : precision_(precision),
        matrices_(matrices),
        groups_((rows + kProductRows - 1) / kProductRows),
        words_(ProductWords(precision, channels)),
        values_(AllocateFloats(size())) {
    std::fill_n(values_.get(), size(), 0.0F);
  }

  int64_t groups() const { return groups_; }
  int64_t words() const { return words_; }
  void Set(int64_t matrix, int64_t row, int64_t channel, float value) {
    float* const group = values_.get() + Begin(row / kProductRows, matrix);
    if (precision_ == ProductPrecision::kFp32) {
      group[channel * kProductRows + row % kProductRows] = value;
      return;
    }
    const uint16_t rounded = RoundToBf16(value);
    auto* const halves = reinterpret_cast<std::byte*>(group);
    const int64_t half = (channel / 2 * kProductRows + row % kProductRows) * 2 + channel % 2;
    std::memcpy(halves + half * 2, &rounded, sizeof(rounded));
  }
  const float* Group(int64_t group, int64_t matrix = 0) const {
    return values_.get() + Begin(group, matrix);
  }

 private:
  int64_t size() const { return groups_ * matrices_ * words_ * kProductRows; }
  int64_t Begin(int64_t group, int64_t matrix) const {
    return (group * matrices_ + matrix) * words_ * kProductRows;
  }

  ProductPrecision precision_;
  int64_t matrices_;
  int64_t groups_;
  int64_t words_;
  VoxelMemory<float> values_;  // groups x matrices x words x kProductRows
};

}  // namespace nnseg

#endif  // NNSEG_CORE_CONVOLUTION_PACKED_ROWS_H_
