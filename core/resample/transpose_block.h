#ifndef NNSEG_CORE_RESAMPLE_TRANSPOSE_BLOCK_H_
#define NNSEG_CORE_RESAMPLE_TRANSPOSE_BLOCK_H_

#include <immintrin.h>

#include <cstdint>

namespace nnseg {

/// Rows and columns of a matrix become columns and rows: to[c * to_stride + r] is
/// from[r * from_stride + c]. Strides count doubles. The two must not overlap.
inline void TransposeBlock(const double* from, int64_t from_stride, int64_t rows, int64_t columns,
                           double* to, int64_t to_stride) {
  // The samples [0, 2) of two rows in one vector, so that one shuffle completes a row of `to`.
  const auto load = [](const double* lower, const double* upper) {
    return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(lower)), _mm_loadu_pd(upper),
                                1);
  };
  const int64_t whole_rows = rows / 4 * 4;
  for (int64_t r = 0; r < whole_rows; r += 4) {
    const double* const row0 = from + r * from_stride;
    const double* const row1 = row0 + from_stride;
    const double* const row2 = row1 + from_stride;
    const double* const row3 = row2 + from_stride;
    int64_t c = 0;
    for (; c + 2 <= columns; c += 2) {
      const __m256d even = load(row0 + c, row2 + c);
      const __m256d odd = load(row1 + c, row3 + c);
      _mm256_storeu_pd(to + c * to_stride + r, _mm256_unpacklo_pd(even, odd));
      _mm256_storeu_pd(to + (c + 1) * to_stride + r, _mm256_unpackhi_pd(even, odd));
    }
    if (c < columns) {
      _mm256_storeu_pd(to + c * to_stride + r, _mm256_setr_pd(row0[c], row1[c], row2[c], row3[c]));
    }
  }
  for (int64_t r = whole_rows; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) to[c * to_stride + r] = from[r * from_stride + c];
  }
}

}  // namespace nnseg

#endif  // NNSEG_CORE_RESAMPLE_TRANSPOSE_BLOCK_H_
