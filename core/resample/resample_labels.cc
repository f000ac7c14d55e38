#include "core/resample/resample_labels.h"

#include <array>
#include <optional>
#include <set>
#include <utility>

#include "core/base/check.h"
#include "core/base/parallel_for.h"
#include "core/resample/anisotropic.h"
#include "core/resample/axis_operator.h"
#include "core/resample/linear_labels.h"
#include "core/resample/resample.h"
#include "core/resample/torch_interpolation.h"

namespace nnseg {
namespace {

using LabelView = VolumeView<const int32_t>;

template <typename Body>
void ForEachVoxel(const Shape3& shape, const Body& body) {
  ParallelFor(shape[0], [&](int64_t begin, int64_t end) {
    for (int64_t z = begin; z < end; ++z) {
      for (int64_t y = 0; y < shape[1]; ++y) {
        for (int64_t x = 0; x < shape[2]; ++x) body(Index3{{z, y, x}});
      }
    }
  });
}

// Strides of a copy without gaps whose axes keep their order in memory, as torch makes indicators.
Index3 DenseStridesLike(const LabelView& labels) {
  Index3 strides{{1, 1, 1}};
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      if (labels.strides[j] < labels.strides[i]) strides[i] *= labels.shape[j];
    }
  }
  return strides;
}

std::set<int32_t> DistinctLabels(const LabelView& labels) {
  std::set<int32_t> distinct{labels.at({})};
  int32_t last = labels.at({});
  for (int64_t z = 0; z < labels.shape[0]; ++z) {
    for (int64_t y = 0; y < labels.shape[1]; ++y) {
      for (int64_t x = 0; x < labels.shape[2]; ++x) {
        const int32_t label = labels.at({{z, y, x}});
        if (label != last) distinct.insert(last = label);
      }
    }
  }
  return distinct;
}

// Operators along each axis; the separate axis takes the nearest samples.
std::array<AxisOperator, 3> Operators(int order, std::optional<int> separate, const Shape3& from,
                                      const Shape3& to) {
  const auto along = [&](int i) {
    return AxisOperator::Resize(from[i], to[i], i == separate ? 0 : order);
  };
  return {along(0), along(1), along(2)};
}

// Calls visit(label, scores) for all labels, ascending, with the label's indicator as
// ResampleChannel resamples it onto out_shape.
template <typename Visit>
void ScoreLabels(const ResamplingRule& rule, const LabelView& labels, const Spacing3& current,
                 const Spacing3& target, const Shape3& out_shape, const Visit& visit) {
  auto indicator = Volume<float>::Uninitialized(1, labels.shape);
  auto scores = Volume<double>::Uninitialized(1, out_shape);
  for (const int32_t label : DistinctLabels(labels)) {
    ForEachVoxel(labels.shape, [&](const Index3& i) {
      indicator.at(0, i) = labels.at(i) == label ? 1.0F : 0.0F;
    });
    ResampleChannel(rule, ViewOf(std::as_const(indicator), 0), current, target, ViewOf(scores, 0));
    visit(label, std::as_const(scores));
  }
}

// The rule of LinearLabels for cubic splines, which see all labels everywhere.
void CubicLabels(const ResamplingRule& rule, const std::array<AxisOperator, 3>& nearest,
                 const LabelView& labels, const Spacing3& current, const Spacing3& target,
                 const VolumeView<int32_t>& out) {
  auto best = Volume<double>::Filled(1, out.shape, 0);
  auto nearest_is_best = Volume<uint8_t>::Filled(1, out.shape, 0);
  const auto nearest_label = [&](const Index3& i) {
    return labels.at(
        {{nearest[0].indices(i[0])[0], nearest[1].indices(i[1])[0], nearest[2].indices(i[2])[0]}});
  };
  const auto compete = [&](int32_t label, const Volume<double>& scores) {
    ForEachVoxel(out.shape, [&](const Index3& i) {
      const double score = scores.at(0, i);
      if (score < best.at(0, i)) return;
      const bool is_nearest = nearest_label(i) == label;
      if (score > best.at(0, i)) {
        best.at(0, i) = score;
        out.at(i) = label;
        nearest_is_best.at(0, i) = is_nearest;
      } else if (is_nearest) {
        nearest_is_best.at(0, i) = 1;
      }
    });
  };
  ScoreLabels(rule, labels, current, target, out.shape, compete);
  ForEachVoxel(out.shape, [&](const Index3& i) {
    if (nearest_is_best.at(0, i) != 0) out.at(i) = nearest_label(i);
  });
}

// resize_segmentation along all axes, or slice by slice with the nearest slices along `separate`.
// REQUIRES: order_z 0 or no change along that axis.
void ResizeLabels(const ResamplingRule& rule, std::optional<int> separate, const LabelView& labels,
                  const Spacing3& current, const Spacing3& target, const VolumeView<int32_t>& out) {
  const auto nearest = Operators(0, separate, labels.shape, out.shape);
  if (rule.order == 3) {
    CubicLabels(rule, nearest, labels, current, target, out);
  } else {
    LinearLabels(Operators(rule.order, separate, labels.shape, out.shape), nearest, labels, out);
  }
}

// Along the separate axis alone, by splines of order_z: the largest label above one half, else 0.
void ThresholdLabels(const ResamplingRule& rule, const LabelView& labels, const Spacing3& current,
                     const Spacing3& target, const VolumeView<int32_t>& out) {
  ForEachVoxel(out.shape, [&](const Index3& i) { out.at(i) = 0; });
  const auto set = [&](int32_t label, const Volume<double>& scores) {
    ForEachVoxel(out.shape, [&](const Index3& i) {
      if (scores.at(0, i) > 0.5) out.at(i) = label;
    });
  };
  ScoreLabels(rule, labels, current, target, out.shape, set);
}

}  // namespace

void ResampleLabels(const ResamplingRule& rule, const VolumeView<const int32_t>& labels,
                    const Spacing3& current, const Spacing3& target,
                    const VolumeView<int32_t>& out) {
  if (labels.shape == out.shape) {
    return ForEachVoxel(out.shape, [&](const Index3& i) { out.at(i) = labels.at(i); });
  }
  NNSEG_CHECK(rule.resampler != Resampler::kNone);
  const std::optional<int> separate = SeparateAxis(rule.force_separate_z, current, target);
  if (rule.resampler == Resampler::kTorch) {
    const TorchInterpolation torch(labels.shape, out.shape, separate, /*channels=*/1,
                                   DenseStridesLike(labels));
    return TorchLabels(torch, rule.memory_efficient_labels, labels, out);
  }
  if (!separate || rule.order_z == 0 || labels.shape[*separate] == out.shape[*separate]) {
    return ResizeLabels(rule, separate, labels, current, target, out);
  }
  Shape3 stack_shape = out.shape;
  stack_shape[*separate] = labels.shape[*separate];
  auto stack = Volume<int32_t>::Uninitialized(1, stack_shape);
  ResizeLabels(rule, separate, labels, current, target, ViewOf(stack, 0));
  ThresholdLabels(rule, ViewOf(std::as_const(stack), 0), current, target, out);
}

}  // namespace nnseg
