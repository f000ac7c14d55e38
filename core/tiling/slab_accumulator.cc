#include "core/tiling/slab_accumulator.h"

#include <immintrin.h>

#include <algorithm>
#include <atomic>

#include "core/base/check.h"
#include "core/base/float_environment.h"
#include "core/base/parallel_for.h"

namespace nnseg {
namespace {

constexpr int64_t kLanes = 8;

__m256 LoadHalves(const Half* from) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}

// Rounds to nearest even and stores.
void StoreHalves(Half* to, __m256 values) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                   _mm256_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT));
}

// sum = half(sum + logits * weights), the product rounded to float.
void AddWeighted(const float* logits, const Half* weights, int64_t count, Half* sum) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const __m256 product = _mm256_mul_ps(_mm256_loadu_ps(logits + i), LoadHalves(weights + i));
    StoreHalves(sum + i, _mm256_add_ps(LoadHalves(sum + i), product));
  }
  for (; i < count; ++i) {
    const float product = logits[i] * static_cast<float>(weights[i]);
    sum[i] = Half(static_cast<float>(sum[i]) + product);
  }
}

// out = half(sum / weights), or out = half(out + half(sum / weights)) when `add`. False if a
// quotient is infinite.
bool DivideInto(const Half* sum, const Half* weights, int64_t count, bool add, Half* out) {
  const __m128i magnitude = _mm_set1_epi16(0x7FFF);
  const __m128i infinity = _mm_set1_epi16(0x7C00);
  __m128i infinite = _mm_setzero_si128();
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const __m128i quotient = _mm256_cvtps_ph(
        _mm256_div_ps(LoadHalves(sum + i), LoadHalves(weights + i)), _MM_FROUND_TO_NEAREST_INT);
    infinite =
        _mm_or_si128(infinite, _mm_cmpeq_epi16(_mm_and_si128(quotient, magnitude), infinity));
    const __m256 value = _mm256_cvtph_ps(quotient);
    StoreHalves(out + i, add ? _mm256_add_ps(LoadHalves(out + i), value) : value);
  }
  bool finite = _mm_testz_si128(infinite, infinite) != 0;
  for (; i < count; ++i) {
    const Half quotient(static_cast<float>(sum[i]) / static_cast<float>(weights[i]));
    finite &= !quotient.is_infinite();
    out[i] = add ? Half(static_cast<float>(out[i]) + static_cast<float>(quotient)) : quotient;
  }
  return finite;
}

// The grid's box in the padded volume, together with the padding where the box touches the image's
// edge: nnU-Net's check comes before it removes the padding.
Box3 CheckedBox(const PatchGrid& grid) {
  Box3 box{grid.box().begin + grid.padding_before(), grid.box().end + grid.padding_before()};
  for (int axis = 0; axis < 3; ++axis) {
    if (grid.box().begin[axis] == 0) box.begin[axis] = 0;
    if (grid.box().end[axis] == grid.image_shape()[axis]) box.end[axis] = grid.padded_shape()[axis];
  }
  return box;
}

}  // namespace

SlabAccumulator::SlabAccumulator(const PatchGrid& grid, std::vector<Half> importance,
                                 int64_t channels, int64_t folds)
    : grid_(grid),
      importance_(std::move(importance)),
      channels_(channels),
      folds_(folds),
      window_(grid.window()),
      checked_(CheckedBox(grid)),
      plane_(window_.shape()[1] * window_.shape()[2]),
      sums_(folds * channels * grid.patch_size()[0] * plane_, Half(0.0F)),
      weights_(grid.patch_size()[0] * plane_, Half(0.0F)),
      rows_taken_(window_.begin[0]) {
  NNSEG_CHECK(channels >= 1 && folds >= 1);
  NNSEG_CHECK(static_cast<int64_t>(importance_.size()) == grid.patch_size().voxels());
}

void SlabAccumulator::Add(int64_t tile, int64_t fold, std::span<const float> logits) {
  const Shape3& patch = grid_.patch_size();
  NNSEG_CHECK(static_cast<int64_t>(logits.size()) == channels_ * patch.voxels());
  NNSEG_CHECK(tile == tiles_done_ && fold >= 0 && fold < folds_);
  const ScopedSubnormals subnormals;
  const Index3 start = grid_.tile(tile);
  const int64_t row_length = window_.shape()[2];
  const int64_t corner = (start[1] - window_.begin[1]) * row_length + start[2] - window_.begin[2];
  ParallelFor(channels_ * patch[0], [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t i0 = i % patch[0];
      const float* from = logits.data() + i * patch[1] * patch[2];
      const Half* weight = importance_.data() + i0 * patch[1] * patch[2];
      Half* to = SumPlane(fold, i / patch[0], start[0] + i0) + corner;
      for (int64_t i1 = 0; i1 < patch[1]; ++i1) {
        AddWeighted(from, weight, patch[2], to);
        from += patch[2];
        weight += patch[2];
        to += row_length;
      }
    }
  });
  if (fold + 1 < folds_) return;
  // The sum of weights is that of a tile whose logits are 1.
  const std::vector<float> ones(patch[2], 1.0F);
  for (int64_t i0 = 0; i0 < patch[0]; ++i0) {
    const Half* const weight = importance_.data() + i0 * patch[1] * patch[2];
    Half* const to = WeightPlane(start[0] + i0) + corner;
    for (int64_t i1 = 0; i1 < patch[1]; ++i1) {
      AddWeighted(ones.data(), weight + i1 * patch[2], patch[2], to + i1 * row_length);
    }
  }
  ++tiles_done_;
}

absl::StatusOr<LogitSlab> SlabAccumulator::TakeFinished() {
  const int64_t rows_of_tiles = tiles_done_ / grid_.tiles_per_row();
  const auto starts = grid_.starts(0);
  const int64_t begin = rows_taken_;
  const int64_t end =
      rows_of_tiles < static_cast<int64_t>(starts.size()) ? starts[rows_of_tiles] : window_.end[0];
  // The part of [begin, end) that belongs to the box.
  const Index3& pad = grid_.padding_before();
  const Box3& box = grid_.box();
  const Shape3 extent = box.shape();
  const int64_t box_begin = std::clamp<int64_t>(begin - pad[0], box.begin[0], box.end[0]);
  const int64_t box_end = std::clamp<int64_t>(end - pad[0], box_begin, box.end[0]);
  LogitSlab slab;
  slab.begin = {{box_begin, box.begin[1], box.begin[2]}};
  slab.logits =
      Volume<Half>::Uninitialized(channels_, {{box_end - box_begin, extent[1], extent[2]}});
  if (begin == end) return slab;

  const ScopedSubnormals subnormals;
  std::atomic<bool> finite{true};
  ParallelFor(channels_ * (end - begin), [&](int64_t first, int64_t last) {
    std::vector<Half> row(checked_.shape()[2]);
    for (int64_t i = first; i < last; ++i) {
      const int64_t channel = i / (end - begin);
      const int64_t i0 = begin + i % (end - begin);
      const bool checked = i0 >= checked_.begin[0] && i0 < checked_.end[0];
      for (int64_t i1 = checked_.begin[1]; checked && i1 < checked_.end[1]; ++i1) {
        if (!FinishRow(channel, i0, i1, row)) finite.store(false, std::memory_order_relaxed);
        const Index3 at = Index3{{i0, i1, checked_.begin[2]}} - pad - slab.begin;
        if (at[0] < 0 || at[0] >= box_end - box_begin || at[1] < 0 || at[1] >= extent[1]) continue;
        std::copy_n(row.data() - at[2], extent[2], &slab.logits.at(channel, {{at[0], at[1], 0}}));
      }
      for (int64_t fold = 0; fold < folds_; ++fold) {
        std::fill_n(SumPlane(fold, channel, i0), plane_, Half(0.0F));
      }
    }
  });
  for (int64_t i0 = begin; i0 < end; ++i0) std::fill_n(WeightPlane(i0), plane_, Half(0.0F));
  rows_taken_ = end;
  if (!finite) {
    return absl::InternalError(
        "a logit is infinite in half precision, expected finite logits: the network's output is "
        "out of range");
  }
  return slab;
}

bool SlabAccumulator::FinishRow(int64_t channel, int64_t i0, int64_t i1, std::span<Half> row) {
  const auto length = static_cast<int64_t>(row.size());
  const int64_t first =
      (i1 - window_.begin[1]) * window_.shape()[2] + checked_.begin[2] - window_.begin[2];
  const Half* const weights = WeightPlane(i0) + first;
  bool finite = true;
  for (int64_t fold = 0; fold < folds_; ++fold) {
    const Half* const sum = SumPlane(fold, channel, i0) + first;
    finite &= DivideInto(sum, weights, length, fold > 0, row.data());
  }
  if (folds_ > 1) {
    const auto folds = static_cast<float>(folds_);
    for (Half& logit : row) logit = Half(static_cast<float>(logit) / folds);
  }
  return finite;
}

int64_t SlabAccumulator::Bytes(const PatchGrid& grid, int64_t channels, int64_t folds) {
  const Shape3 shape = grid.window().shape();
  const int64_t plane = shape[1] * shape[2];
  const int64_t window = (folds * channels + 1) * grid.patch_size()[0] * plane;
  const int64_t slab = channels * grid.patch_size()[0] * plane;
  return (window + slab) * static_cast<int64_t>(sizeof(Half));
}

}  // namespace nnseg
