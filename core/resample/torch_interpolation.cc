#include "core/resample/torch_interpolation.h"

#include <algorithm>

#include "core/base/check.h"

namespace nnseg {
namespace {

// torch has a kernel for many channels (here: slices), which sums so many of them at a time ...
constexpr int64_t kVector = 8;
// ... and which it takes for slices of at most this height plus width ...
constexpr int64_t kSmallSlice = 128;
// ... and for at least so many slices that lie interleaved in memory (channels last).
constexpr int64_t kManySlices = 4;

// Whether the voxels of all slices at one position follow each other in memory, without gaps.
bool AreInterleaved(const Shape3& shape, const Index3& strides, int separate_axis) {
  const int outer = separate_axis == 0 ? 1 : 0;
  const int inner = separate_axis == 2 ? 1 : 2;
  int64_t expected = 1;
  for (const int axis : {separate_axis, inner, outer}) {
    if (shape[axis] == 1) continue;
    if (strides[axis] != expected) return false;
    expected *= shape[axis];
  }
  return true;
}

// Steps along one axis for a row of `out.size()` samples; a picking axis has one sample to step
// from.
void LerpRows(const std::vector<float>& lower, const std::vector<float>& upper, float weight0,
              float weight1, std::span<float> out) {
  const float* const a = lower.data();
  const float* const b = upper.data();
  float* const to = out.data();
  const auto length = static_cast<int64_t>(out.size());
  for (int64_t x = 0; x < length; ++x) to[x] = TorchLerp(a[x], b[x], weight0, weight1);
}

}  // namespace

TorchInterpolation::TorchInterpolation(const Shape3& input, const Shape3& output,
                                       std::optional<int> separate_axis, int64_t channels,
                                       const Index3& strides)
    : input_(input),
      output_(output),
      separate_axis_(separate_axis),
      channels_(channels),
      slices_(separate_axis ? input[*separate_axis] : 1) {
  NNSEG_CHECK(input != output && channels >= 1);
  if (separate_axis) {
    int64_t extent = 0;
    bool resized = false;
    for (int i = 0; i < 3; ++i) {
      if (i == *separate_axis) continue;
      extent += output[i];
      resized |= input[i] != output[i];
    }
    // Several channels are copied slice after slice; single voxels are then interleaved as well.
    const int64_t slices = channels * input[*separate_axis];
    const bool interleaved = channels == 1 ? AreInterleaved(input, strides, *separate_axis)
                                           : input.voxels() == input[*separate_axis];
    slices_by_eight_ = resized && (extent <= kSmallSlice || (interleaved && slices >= kManySlices));
  }
  for (int i = 0; i < 3; ++i) {
    axes_[i] = i == separate_axis ? TorchAxis::NearestExact(input[i], output[i])
                                  : TorchAxis::Linear(input[i], output[i], slices_by_eight_);
  }
}

TorchInterpolation::TorchInterpolation(const TorchInterpolation& whole, const Box3& output,
                                       const Box3& input)
    : input_(input.shape()),
      output_(output.shape()),
      separate_axis_(whole.separate_axis_),
      channels_(whole.channels_),
      slices_(whole.slices_),
      first_slice_(whole.first_slice_ + (separate_axis_ ? input.begin[*separate_axis_] : 0)),
      slices_by_eight_(whole.slices_by_eight_) {
  for (int i = 0; i < 3; ++i) {
    axes_[i] = whole.axes_[i].Part(output.begin[i], output.end[i], input.begin[i]);
  }
}

int64_t TorchInterpolation::whole_vector_end(int64_t channel) const {
  return channels_ * slices_ / kVector * kVector - channel * slices_ - first_slice_;
}

template <typename T>
void TorchInterpolation::Rows(int64_t channel, int64_t k,
                              const std::array<InputPlane<T>, 2>& planes, int64_t begin,
                              int64_t end, Scratch& scratch, std::span<float> out) const {
  NNSEG_CHECK(0 <= begin && begin <= end && end <= output_[1]);
  NNSEG_CHECK(static_cast<int64_t>(out.size()) == (end - begin) * output_[2]);
  if (slices_by_eight_) {
    SlicesByEight(channel, k, planes, begin, end, out);
  } else {
    AxisByAxis(k, planes, begin, end, scratch, out);
  }
}

template <typename T>
void TorchInterpolation::AxisByAxis(int64_t k, const std::array<InputPlane<T>, 2>& planes,
                                    int64_t begin, int64_t end, Scratch& scratch,
                                    std::span<float> out) const {
  const int64_t columns = output_[2];
  const TorchAxis& axis0 = axes_[0];
  const TorchAxis& axis1 = axes_[1];
  const TorchAxis& axis2 = axes_[2];
  scratch.samples.resize(static_cast<std::size_t>(input_[2]));
  scratch.plane_row.resize(static_cast<std::size_t>(columns));
  scratch.row_indices.fill(-1);

  // Input row `y` of plane `p`, along axis 2. Neighbouring rows keep different places.
  const auto row_of = [&](int64_t p, int64_t y) -> const std::vector<float>& {
    const std::size_t place = static_cast<std::size_t>(2 * p + y % 2);
    std::vector<float>& row = scratch.rows[place];
    if (scratch.row_indices[place] == y) return row;
    scratch.row_indices[place] = y;
    row.resize(static_cast<std::size_t>(columns));
    const InputPlane<T>& plane = planes[static_cast<std::size_t>(p)];
    const T* const from = plane.data + y * plane.row_stride;
    float* const samples = scratch.samples.data();
    for (int64_t x = 0; x < input_[2]; ++x) {
      samples[x] = static_cast<float>(from[x * plane.column_stride]);
    }
    if (axis2.picks) {
      for (int64_t x = 0; x < columns; ++x) row[x] = samples[axis2.lower[x]];
    } else {
      for (int64_t x = 0; x < columns; ++x) {
        row[x] = TorchLerp(samples[axis2.lower[x]], samples[axis2.upper[x]], axis2.weight0[x],
                           axis2.weight1[x]);
      }
    }
    return row;
  };
  // Output row `y` within plane `p`, along axes 2 and 1.
  const auto step_along_axis1 = [&](int64_t p, int64_t y, std::span<float> to) {
    const std::vector<float>& lower = row_of(p, axis1.lower[y]);
    if (axis1.picks) {
      std::copy(lower.begin(), lower.end(), to.begin());
    } else {
      LerpRows(lower, row_of(p, axis1.upper[y]), axis1.weight0[y], axis1.weight1[y], to);
    }
  };
  for (int64_t y = begin; y < end; ++y) {
    const std::span<float> to = out.subspan(static_cast<std::size_t>((y - begin) * columns),
                                            static_cast<std::size_t>(columns));
    step_along_axis1(0, y, to);
    if (axis0.picks) continue;
    step_along_axis1(1, y, scratch.plane_row);
    for (int64_t x = 0; x < columns; ++x) {
      to[x] = TorchLerp(to[x], scratch.plane_row[x], axis0.weight0[k], axis0.weight1[k]);
    }
  }
}

template <typename T>
void TorchInterpolation::SlicesByEight(int64_t channel, int64_t k,
                                       const std::array<InputPlane<T>, 2>& planes, int64_t begin,
                                       int64_t end, std::span<float> out) const {
  // The two linear axes, outer first: samples and weights are [outer][inner].
  const int outer = separate_axis_ == 0 ? 1 : 0;
  const int inner = separate_axis_ == 2 ? 1 : 2;
  const int64_t whole_end = whole_vector_end(channel);
  float* to = out.data();
  for (int64_t y = begin; y < end; ++y) {
    for (int64_t x = 0; x < output_[2]; ++x) {
      const std::array<int64_t, 3> at{k, y, x};
      const auto sample = [&](bool upper_outer, bool upper_inner) {
        std::array<int64_t, 3> index;
        for (int i = 0; i < 3; ++i) {
          const bool upper = (i == outer && upper_outer) || (i == inner && upper_inner);
          index[i] = (upper ? axes_[i].upper : axes_[i].lower)[at[i]];
        }
        const InputPlane<T>& plane = planes[outer == 0 && upper_outer ? 1 : 0];
        return static_cast<float>(
            plane.data[index[1] * plane.row_stride + index[2] * plane.column_stride]);
      };
      const int64_t slice = axes_[*separate_axis_].lower[at[*separate_axis_]];
      *to++ = TorchBilinear(
          {sample(false, false), sample(false, true), sample(true, false), sample(true, true)},
          TorchQuadWeights(axes_[outer], at[outer], axes_[inner], at[inner]), slice < whole_end);
    }
  }
}

template void TorchInterpolation::Rows(int64_t, int64_t, const std::array<InputPlane<float>, 2>&,
                                       int64_t, int64_t, Scratch&, std::span<float>) const;
template void TorchInterpolation::Rows(int64_t, int64_t, const std::array<InputPlane<Half>, 2>&,
                                       int64_t, int64_t, Scratch&, std::span<float>) const;

}  // namespace nnseg
