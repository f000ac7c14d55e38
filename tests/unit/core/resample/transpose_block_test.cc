#include "core/resample/transpose_block.h"

#include <vector>

#include "gtest/gtest.h"

namespace nnseg {
namespace {

TEST(TransposeBlock, TurnsRowsOfAnyCountAndStride) {
  for (const int64_t rows : {1, 3, 4, 8, 11}) {
    for (const int64_t columns : {1, 2, 5, 16}) {
      const int64_t from_stride = columns + 1, to_stride = rows + 2;
      std::vector<double> from(static_cast<std::size_t>(rows * from_stride));
      for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<double>(i);
      std::vector<double> to(static_cast<std::size_t>(columns * to_stride), -1);
      TransposeBlock(from.data(), from_stride, rows, columns, to.data(), to_stride);
      for (int64_t c = 0; c < columns; ++c) {
        for (int64_t r = 0; r < to_stride; ++r) {
          // What lies between the rows of the result stays.
          const double expected = r < rows ? from[r * from_stride + c] : -1;
          ASSERT_EQ(to[c * to_stride + r], expected) << rows << " x " << columns;
        }
      }
    }
  }
}

}  // namespace
}  // namespace nnseg
