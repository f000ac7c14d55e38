#ifndef NNSEG_CORE_CONVOLUTION_ROW_RUNS_H_
#define NNSEG_CORE_CONVOLUTION_ROW_RUNS_H_

#include <algorithm>
#include <cstdint>

#include "core/geometry/index.h"

namespace nnseg {

/// Neighbours along axis 2 in one row of a volume.
struct RowRun {
  Index3 begin{};
  int64_t length = 0;
  int64_t column = 0;  ///< voxels of the range before this run
};

/// Calls visit(RowRun) for the parts of rows that make up the voxels [begin, end) of a dense
/// volume.
template <typename Visit>
void ForEachRowRun(const Shape3& shape, int64_t begin, int64_t end, const Visit& visit) {
  for (int64_t at = begin; at < end;) {
    const int64_t x = at % shape[2];
    const int64_t length = std::min(shape[2] - x, end - at);
    const int64_t row = at / shape[2];
    visit(RowRun{{{row / shape[1], row % shape[1], x}}, length, at - begin});
    at += length;
  }
}

}  // namespace nnseg

#endif  // NNSEG_CORE_CONVOLUTION_ROW_RUNS_H_
