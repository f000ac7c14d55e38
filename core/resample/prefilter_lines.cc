#include "core/resample/prefilter_lines.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/check.h"
#include "core/base/instruction_set.h"

namespace nnseg {
namespace {

constexpr double kPole = -0.267949192431122706;  // sqrt(3) - 2
constexpr double kGain = (1 - kPole) * (1 - 1 / kPole);
constexpr int64_t kRowsPerCheck = 16;

// One row of the lines: kPrefilterLanes numbers in vectors.
template <typename Vector>
struct Row {
  static constexpr int kVectors = kPrefilterLanes * sizeof(double) / sizeof(Vector);
  Vector v[kVectors];

  [[gnu::always_inline]] inline void Load(const double* from) { std::memcpy(v, from, sizeof v); }
  [[gnu::always_inline]] inline void Store(double* to) const { std::memcpy(to, v, sizeof v); }
};

// Whether adding terms of at most `term` to any of the sums leaves it as it is.
template <typename Vector>
[[gnu::always_inline]] inline bool AreSettled(const Row<Vector>& sums, double term) {
  double values[kPrefilterLanes];
  sums.Store(values);
  bool settled = true;
  for (const double value : values) settled &= std::abs(value) * 0x1p-55 >= term;
  return settled;
}

template <typename Vector>
[[gnu::always_inline]] inline void Filter(double* first, int64_t stride, int64_t count,
                                          double bound) {
  constexpr int kVectors = Row<Vector>::kVectors;
  double* const last = first + (count - 1) * stride;
  Row<Vector> state, row, other, edge;

  // The first coefficient of the padded lines, mirrored at both ends without end.
  const int64_t length = count + 2 * kSplinePadding;
  const double pole_n = std::pow(kPole, static_cast<double>(length));
  const double correction = kPole / (1 - pole_n * pole_n);
  row.Load(first);
  other.Load(last);
  for (int v = 0; v < kVectors; ++v) {
    state.v[v] = row.v[v] * kGain + pole_n * (other.v[v] * kGain);
  }
  double power = kPole;
  for (int64_t i = 1; i < length && power != 0; ++i) {  // adding 0 changes nothing
    row.Load(first + std::clamp<int64_t>(i - kSplinePadding, 0, count - 1) * stride);
    other.Load(last - std::clamp<int64_t>(i - kSplinePadding, 0, count - 1) * stride);
    for (int v = 0; v < kVectors; ++v) {
      state.v[v] += power * (row.v[v] * kGain + pole_n * (other.v[v] * kGain));
    }
    power *= kPole;
    // Two samples, each at most kGain < 6 times as large as the bound.
    if (i % kRowsPerCheck == 0 && AreSettled(state, std::abs(power) * (16 * bound))) break;
  }
  edge.Load(first);
  for (int v = 0; v < kVectors; ++v) {
    edge.v[v] *= kGain;
    state.v[v] = state.v[v] * correction + edge.v[v];
  }

  // Forwards: padding, lines, padding.
  for (int64_t i = 1; i < kSplinePadding; ++i) {
    for (int v = 0; v < kVectors; ++v) state.v[v] = edge.v[v] + kPole * state.v[v];
    if (i >= kSplinePadding - kSplineMargin) state.Store(first + (i - kSplinePadding) * stride);
  }
  edge.Load(last);
  for (int v = 0; v < kVectors; ++v) edge.v[v] *= kGain;
  for (double* at = first; at <= last; at += stride) {
    row.Load(at);
    for (int v = 0; v < kVectors; ++v) {
      state.v[v] = row.v[v] * kGain + kPole * state.v[v];
    }
    state.Store(at);
  }
  Row<Vector> padding[kSplinePadding];
  for (Row<Vector>& padded : padding) {
    for (int v = 0; v < kVectors; ++v) {
      state.v[v] = edge.v[v] + kPole * state.v[v];
      padded.v[v] = state.v[v];
    }
  }

  // And back, through no more padding than is kept.
  for (int v = 0; v < kVectors; ++v) state.v[v] *= kPole / (kPole - 1);
  for (int64_t i = kSplinePadding - 2; i >= 0; --i) {
    for (int v = 0; v < kVectors; ++v) state.v[v] = kPole * (state.v[v] - padding[i].v[v]);
    if (i < kSplineMargin) state.Store(last + (i + 1) * stride);
  }
  for (double* at = last; at >= first - kSplineMargin * stride; at -= stride) {
    row.Load(at);
    for (int v = 0; v < kVectors; ++v) state.v[v] = kPole * (state.v[v] - row.v[v]);
    state.Store(at);
  }
}

[[gnu::target("avx512f")]] void FilterAvx512(double* first, int64_t stride, int64_t count,
                                             double bound) {
  Filter<Double8>(first, stride, count, bound);
}

}  // namespace

void PrefilterLines(double* first, int64_t stride, int64_t count, double bound) {
  NNSEG_CHECK(count >= 1 && stride >= kPrefilterLanes);
  if (UsableInstructionSet() == InstructionSet::kAvx512) {
    FilterAvx512(first, stride, count, bound);
  } else {
    Filter<Double4>(first, stride, count, bound);
  }
}

}  // namespace nnseg
