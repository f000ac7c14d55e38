#include "core/resample/linear_labels.h"

#include <algorithm>
#include <vector>

#include "core/base/check.h"
#include "core/base/parallel_for.h"
#include "core/volume/half.h"

namespace nnseg {
namespace {

// Values at the eight input voxels that an output voxel is made of, in C order.
template <typename T>
using Corners = std::array<T, 8>;

// The two input indices that each output sample is made of.
struct AxisCorners {
  std::vector<int64_t> lower, upper;
};

AxisCorners CornersOf(const AxisOperator& axis) {
  AxisCorners corners;
  for (int64_t k = 0; k < axis.output_length(); ++k) {
    corners.lower.push_back(axis.indices(k).front());
    corners.upper.push_back(axis.indices(k).back());
  }
  return corners;
}

AxisCorners CornersOf(const TorchAxis& axis) {
  return {{axis.lower.begin(), axis.lower.end()}, {axis.upper.begin(), axis.upper.end()}};
}

// Fills `out` with the label that all corners share, or else with decide(labels, index).
template <typename Axis, typename Decide>
void ResampleByCorners(const std::array<const Axis*, 3>& axes,
                       const VolumeView<const int32_t>& labels, const VolumeView<int32_t>& out,
                       const Decide& decide) {
  const AxisCorners axis0 = CornersOf(*axes[0]);
  const AxisCorners axis1 = CornersOf(*axes[1]);
  const AxisCorners axis2 = CornersOf(*axes[2]);
  ParallelFor(out.shape[0], [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      for (int64_t y = 0; y < out.shape[1]; ++y) {
        const std::array<const int32_t*, 4> rows = {
            &labels.at({{axis0.lower[k], axis1.lower[y], 0}}),
            &labels.at({{axis0.lower[k], axis1.upper[y], 0}}),
            &labels.at({{axis0.upper[k], axis1.lower[y], 0}}),
            &labels.at({{axis0.upper[k], axis1.upper[y], 0}})};
        for (int64_t x = 0; x < out.shape[2]; ++x) {
          const int64_t lower = axis2.lower[x] * labels.strides[2];
          const int64_t upper = axis2.upper[x] * labels.strides[2];
          Corners<int32_t> corners;
          int32_t differing = 0;
          for (std::size_t row = 0; row < rows.size(); ++row) {
            corners[2 * row] = rows[row][lower];
            corners[2 * row + 1] = rows[row][upper];
            differing |= (corners[2 * row] ^ corners[0]) | (corners[2 * row + 1] ^ corners[0]);
          }
          out.at({{k, y, x}}) = differing == 0 ? corners[0] : decide(corners, Index3{{k, y, x}});
        }
      }
    }
  });
}

// Calls visit(label) for the distinct labels, ascending.
template <typename Visit>
void ForEachLabel(Corners<int32_t> labels, const Visit& visit) {
  std::sort(labels.begin(), labels.end());
  const auto end = std::unique(labels.begin(), labels.end());
  std::for_each(labels.begin(), end, visit);
}

double WeightOf(const AxisOperator& axis, int64_t k, int corner) {
  return corner < axis.taps() ? axis.weights(k)[corner] : 0;
}

// The indicator of one label at the corners, interpolated by torch.
float TorchScore(const TorchInterpolation& torch, const Corners<float>& v, const Index3& at) {
  const TorchAxis& axis0 = torch.axis(0);
  const TorchAxis& axis1 = torch.axis(1);
  const TorchAxis& axis2 = torch.axis(2);
  if (const auto separate = torch.separate_axis(); separate && torch.slices_by_eight()) {
    const bool whole_vector =
        torch.axis(*separate).lower[at[*separate]] < torch.whole_vector_end(0);
    switch (*separate) {
      case 0:
        return TorchBilinear({v[0], v[1], v[2], v[3]}, TorchQuadWeights(axis1, at[1], axis2, at[2]),
                             whole_vector);
      case 1:
        return TorchBilinear({v[0], v[1], v[4], v[5]}, TorchQuadWeights(axis0, at[0], axis2, at[2]),
                             whole_vector);
      default:
        return TorchBilinear({v[0], v[2], v[4], v[6]}, TorchQuadWeights(axis0, at[0], axis1, at[1]),
                             whole_vector);
    }
  }
  const auto row = [&](int first) {
    return TorchLerp(v[first], v[first + 1], axis2.weight0[at[2]], axis2.weight1[at[2]]);
  };
  const auto plane = [&](int first) {
    return TorchLerp(row(first), row(first + 2), axis1.weight0[at[1]], axis1.weight1[at[1]]);
  };
  return TorchLerp(plane(0), plane(4), axis0.weight0[at[0]], axis0.weight1[at[0]]);
}

Corners<float> Indicator(const Corners<int32_t>& labels, int32_t label, float value) {
  Corners<float> indicator;
  for (std::size_t i = 0; i < labels.size(); ++i) indicator[i] = labels[i] == label ? value : 0;
  return indicator;
}

}  // namespace

void LinearLabels(const std::array<AxisOperator, 3>& axes,
                  const std::array<AxisOperator, 3>& nearest,
                  const VolumeView<const int32_t>& labels, const VolumeView<int32_t>& out) {
  const auto decide = [&](const Corners<int32_t>& corners, const Index3& at) {
    Corners<double> weights;
    for (int i = 0; i < 8; ++i) {
      weights[i] = WeightOf(axes[0], at[0], i / 4) * WeightOf(axes[1], at[1], i / 2 % 2) *
                   WeightOf(axes[2], at[2], i % 2);
    }
    const int32_t nearest_label =
        labels.at({{nearest[0].indices(at[0])[0], nearest[1].indices(at[1])[0],
                    nearest[2].indices(at[2])[0]}});
    double best = 0;
    double nearest_score = 0;
    int32_t winner = corners[0];
    ForEachLabel(corners, [&](int32_t label) {
      double score = 0;
      for (int i = 0; i < 8; ++i) {
        if (corners[i] == label) score += weights[i];
      }
      if (label == nearest_label) nearest_score = score;
      if (score > best) {
        best = score;
        winner = label;
      }
    });
    return nearest_score == best ? nearest_label : winner;
  };
  ResampleByCorners<AxisOperator>({&axes[0], &axes[1], &axes[2]}, labels, out, decide);
}

void TorchLabels(const TorchInterpolation& torch, bool memory_efficient,
                 const VolumeView<const int32_t>& labels, const VolumeView<int32_t>& out) {
  NNSEG_CHECK(labels.shape == torch.input() && out.shape == torch.output());
  const std::array<const TorchAxis*, 3> axes = {&torch.axis(0), &torch.axis(1), &torch.axis(2)};
  const auto above_half = [&](const Corners<int32_t>& corners, const Index3& at) {
    int32_t winner = 0;
    ForEachLabel(corners, [&](int32_t label) {
      if (TorchScore(torch, Indicator(corners, label, 1), at) > 0.5F) winner = label;
    });
    return winner;
  };
  const auto best_in_half_precision = [&](const Corners<int32_t>& corners, const Index3& at) {
    int32_t winner = 0;
    float best = 0;
    ForEachLabel(corners, [&](int32_t label) {
      const auto score =
          static_cast<float>(Half(TorchScore(torch, Indicator(corners, label, 1000), at)));
      if (score > best) {
        best = score;
        winner = label;
      }
    });
    return winner;
  };
  if (memory_efficient) {
    ResampleByCorners(axes, labels, out, above_half);
  } else {
    ResampleByCorners(axes, labels, out, best_in_half_precision);
  }
}

}  // namespace nnseg
