#include "core/restore/logit_operators.h"

#include <algorithm>
#include <optional>

#include "core/base/check.h"
#include "core/resample/anisotropic.h"

namespace nnseg {
namespace {

// Spline order along each axis, or nothing where the rule couples a whole axis.
std::optional<std::array<int, 3>> LinearOrders(const ResamplingRule& rule,
                                               const CaseProperties& properties,
                                               std::optional<int> separate) {
  if (properties.network_shape == properties.crop.shape()) return std::array<int, 3>{};
  if (rule.order > 1) return std::nullopt;
  std::array<int, 3> orders{rule.order, rule.order, rule.order};
  if (separate) {
    const bool resized = properties.network_shape[*separate] != properties.crop.shape()[*separate];
    if (resized && rule.order_z != 0) return std::nullopt;
    orders[*separate] = 0;
  }
  return orders;
}

/// The input samples along one axis that the outputs [begin, end) read.
struct Reads {
  int64_t begin, end;
};

Reads ReadsOf(const std::array<AxisOperator, 3>& operators, int axis, int64_t begin, int64_t end) {
  return {operators[axis].indices(begin).front(), operators[axis].indices(end - 1).back() + 1};
}

Reads ReadsOf(const TorchInterpolation& torch, int axis, int64_t begin, int64_t end) {
  return {torch.axis(axis).lower[begin], torch.axis(axis).upper[end - 1] + 1};
}

}  // namespace

LogitOperators LogitOperatorsFor(const SegmentationPlan& plan, const CaseProperties& properties) {
  const ResamplingRule& rule = plan.logits_resampling;
  const Shape3& network = properties.network_shape;
  const Shape3 crop = properties.crop.shape();
  NNSEG_CHECK(rule.resampler != Resampler::kNone || network == crop);
  // The way back: from the network's spacing to the image's.
  const auto separate =
      SeparateAxis(rule.force_separate_z, properties.network_spacing, properties.spacing);
  if (rule.resampler == Resampler::kTorch && network != crop) {
    return TorchInterpolation(network, crop, separate, plan.labels.output_channels());
  }
  const auto orders = LinearOrders(rule, properties, separate);
  if (!orders) return WholeChannelSpline{};
  const auto axis = [&](int i) { return AxisOperator::Resize(network[i], crop[i], (*orders)[i]); };
  return std::array{axis(0), axis(1), axis(2)};
}

RestoreBoxes BoxesFor(const SegmentationPlan& plan, const CaseProperties& properties,
                      const Box3& part) {
  NNSEG_CHECK(!part.empty() && Intersection(part, properties.crop) == part);
  RestoreBoxes boxes{.image = part, .logits = Box3::Whole(properties.network_shape)};
  if (part == properties.crop) return boxes;
  std::visit(
      [&](const auto& operators) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(operators)>, WholeChannelSpline>) {
          for (int axis = 0; axis < 3; ++axis) {
            const int64_t origin = properties.crop.begin[axis];
            const Reads reads =
                ReadsOf(operators, axis, part.begin[axis] - origin, part.end[axis] - origin);
            boxes.logits.begin[axis] = reads.begin;
            boxes.logits.end[axis] = reads.end;
          }
        }
      },
      LogitOperatorsFor(plan, properties));
  return boxes;
}

}  // namespace nnseg
