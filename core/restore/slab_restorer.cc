#include "core/restore/slab_restorer.h"

#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/resample/anisotropic.h"
#include "core/resample/axis_operator.h"
#include "core/restore/cubic_restorer.h"
#include "core/restore/linear_restorer.h"

namespace nnseg {
namespace {

// Spline order along each axis, or nothing when the rule cannot be served plane by plane.
std::optional<std::array<int, 3>> LinearOrders(const ResamplingRule& rule,
                                               const CaseProperties& properties) {
  if (properties.network_shape == properties.crop.shape()) return std::array<int, 3>{};
  std::array<int, 3> orders{rule.order, rule.order, rule.order};
  // The way back: from the network's spacing to the image's.
  const auto separate =
      SeparateAxis(rule.force_separate_z, properties.network_spacing, properties.spacing);
  if (separate) {
    const bool resized = properties.network_shape[*separate] != properties.crop.shape()[*separate];
    if (resized && rule.order_z != 0) return std::nullopt;
    orders[*separate] = 0;
  }
  return rule.order > 1 ? std::nullopt : std::optional(orders);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SlabRestorer>> SlabRestorer::Create(const SegmentationPlan& plan,
                                                                   const CaseProperties& properties,
                                                                   RestoreSinks sinks) {
  if (sinks.probabilities) {
    return absl::UnimplementedError("this version does not give probabilities");
  }
  if (plan.labels.has_regions()) {
    return absl::UnimplementedError(
        "the model predicts regions, this version serves models that predict labels");
  }
  const Shape3& network = properties.network_shape;
  const Shape3 crop = properties.crop.shape();
  if (plan.logits_resampling.resampler == Resampler::kNone && network != crop) {
    return absl::InternalError(absl::StrCat("the network's grid is ", ToString(network),
                                            ", expected the crop's ", ToString(crop),
                                            " as the plan resamples nothing"));
  }
  const auto orders = LinearOrders(plan.logits_resampling, properties);
  if (!orders) return std::make_unique<CubicRestorer>(plan, properties, std::move(sinks.labels));
  return std::make_unique<LinearRestorer>(
      plan, properties, AxisOperator::Resize(network[0], crop[0], (*orders)[0]),
      AxisOperator::Resize(network[1], crop[1], (*orders)[1]),
      AxisOperator::Resize(network[2], crop[2], (*orders)[2]), std::move(sinks.labels));
}

int64_t RestoreBytes(const SegmentationPlan& plan, const Shape3& shape, const Shape3& network_shape,
                     bool /*probabilities*/) {
  constexpr int64_t kHalf = sizeof(Half);
  const int64_t labels = shape.voxels() * static_cast<int64_t>(sizeof(uint16_t));
  const int64_t channels = plan.labels.output_channels();
  const ResamplingRule& rule = plan.logits_resampling;
  if (rule.order > 1 || rule.order_z != 0) {
    return labels + channels * network_shape.voxels() * kHalf +
           network_shape.voxels() * static_cast<int64_t>(sizeof(float) + sizeof(double)) +
           shape.voxels() * static_cast<int64_t>(sizeof(double) + sizeof(int16_t));
  }
  // The planes that are kept, and the bounds of a slab.
  const int64_t kept = 2 * channels * network_shape[1] * network_shape[2] * kHalf;
  const int64_t bounds = plan.patch_size[0] *
                         PlaneDecoder::BoundsPerPlane(channels, network_shape[1], shape[2]) *
                         static_cast<int64_t>(sizeof(int16_t));
  return labels + kept + bounds;
}

}  // namespace nnseg
