#include "core/restore/slab_restorer.h"

#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/resample/anisotropic.h"
#include "core/resample/axis_operator.h"
#include "core/restore/block_restorer.h"
#include "core/restore/cubic_restorer.h"
#include "core/restore/linear_restorer.h"

namespace nnseg {
namespace {

// Spline order along each axis, or nothing when the rule cannot be served plane by plane.
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

}  // namespace

absl::StatusOr<std::unique_ptr<SlabRestorer>> SlabRestorer::Create(const SegmentationPlan& plan,
                                                                   const CaseProperties& properties,
                                                                   RestoreSinks sinks) {
  NNSEG_CHECK(sinks.labels || sinks.probabilities);
  const ResamplingRule& rule = plan.logits_resampling;
  const Shape3& network = properties.network_shape;
  const Shape3 crop = properties.crop.shape();
  if (rule.resampler == Resampler::kNone && network != crop) {
    return absl::InternalError(absl::StrCat("the network's grid is ", ToString(network),
                                            ", expected the crop's ", ToString(crop),
                                            " as the plan resamples nothing"));
  }
  // The way back: from the network's spacing to the image's.
  const auto separate =
      SeparateAxis(rule.force_separate_z, properties.network_spacing, properties.spacing);
  if (rule.resampler == Resampler::kTorch && network != crop) {
    return std::make_unique<BlockRestorer>(
        plan, properties,
        LogitResampler::Torch({network, crop, separate, plan.labels.output_channels()}),
        std::move(sinks));
  }
  const auto orders = LinearOrders(rule, properties, separate);
  if (!orders) return std::make_unique<CubicRestorer>(plan, properties, std::move(sinks));
  const auto axis = [&](int i) { return AxisOperator::Resize(network[i], crop[i], (*orders)[i]); };
  if (!sinks.probabilities) {
    return std::make_unique<LinearRestorer>(plan, properties, axis(0), axis(1), axis(2),
                                            std::move(sinks.labels));
  }
  return std::make_unique<BlockRestorer>(
      plan, properties, LogitResampler::Spline(network, {axis(0), axis(1), axis(2)}),
      std::move(sinks));
}

int64_t RestoreBytes(const SegmentationPlan& plan, const Shape3& shape, const Shape3& network_shape,
                     bool probabilities) {
  constexpr int64_t kHalf = sizeof(Half);
  const int64_t labels = shape.voxels() * static_cast<int64_t>(sizeof(uint16_t));
  const int64_t channels = plan.labels.output_channels();
  const int64_t block = BlockRestorer::BlockBytes(channels, shape);
  const ResamplingRule& rule = plan.logits_resampling;
  if (rule.resampler == Resampler::kSpline && (rule.order > 1 || rule.order_z != 0)) {
    const int64_t resampling =
        channels * network_shape.voxels() * kHalf +
        network_shape.voxels() * static_cast<int64_t>(sizeof(float) + sizeof(double)) +
        shape.voxels() * static_cast<int64_t>(sizeof(double));
    const int64_t decoding =
        probabilities ? channels * shape.voxels() * kHalf + block
                      : shape.voxels() * static_cast<int64_t>(sizeof(int16_t) + sizeof(uint16_t));
    return labels + resampling + decoding;
  }
  // The planes that are kept, and a block or the bounds of a slab.
  const int64_t kept = 2 * channels * network_shape[1] * network_shape[2] * kHalf;
  if (probabilities || rule.resampler == Resampler::kTorch) return labels + kept + block;
  const int64_t bounds = plan.patch_size[0] *
                         PlaneDecoder::BoundsPerPlane(channels, network_shape[1], shape[2]) *
                         static_cast<int64_t>(sizeof(int16_t));
  return labels + kept + bounds;
}

}  // namespace nnseg
