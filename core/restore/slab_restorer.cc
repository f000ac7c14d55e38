#include "core/restore/slab_restorer.h"

#include <array>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/restore/block_restorer.h"
#include "core/restore/cubic_restorer.h"
#include "core/restore/linear_restorer.h"

namespace nnseg {

absl::StatusOr<std::unique_ptr<SlabRestorer>> SlabRestorer::Create(
    const SegmentationPlan& plan, const CaseProperties& properties, RestoreSinks sinks,
    const std::optional<Box3>& part) {
  NNSEG_CHECK(sinks.labels || sinks.probabilities);
  const Shape3& network = properties.network_shape;
  const Shape3 crop = properties.crop.shape();
  if (plan.logits_resampling.resampler == Resampler::kNone && network != crop) {
    return absl::InternalError(absl::StrCat("the network's grid is ", ToString(network),
                                            ", expected the crop's ", ToString(crop),
                                            " as the plan resamples nothing"));
  }
  const RestoreBoxes boxes = BoxesFor(plan, properties, part.value_or(properties.crop));
  const Box3 output{boxes.image.begin - properties.crop.begin,
                    boxes.image.end - properties.crop.begin};
  const LogitOperators operators = LogitOperatorsFor(plan, properties);
  if (std::holds_alternative<WholeChannelSpline>(operators)) {
    return std::make_unique<CubicRestorer>(plan, properties, boxes, std::move(sinks));
  }
  if (const auto* torch = std::get_if<TorchInterpolation>(&operators)) {
    return std::make_unique<BlockRestorer>(
        plan, boxes, LogitResampler::Torch(torch->Part(output, boxes.logits)), std::move(sinks));
  }
  const auto axis = [&](int i) {
    return std::get<0>(operators)[i].Part(output.begin[i], output.end[i], boxes.logits.begin[i]);
  };
  if (!sinks.probabilities) {
    return std::make_unique<LinearRestorer>(plan, boxes, axis(0), axis(1), axis(2),
                                            std::move(sinks.labels));
  }
  return std::make_unique<BlockRestorer>(
      plan, boxes, LogitResampler::Spline(boxes.logits.shape(), {axis(0), axis(1), axis(2)}),
      std::move(sinks));
}

absl::Status SlabRestorer::AddLabels(LabelPlanes /*planes*/) {
  return absl::InternalError("labels were brought to a restorer that has no rule for them");
}

Box3 SlabRestorer::ReaderBox(int64_t begin, int64_t end) const {
  Box3 planes = boxes_.image;
  planes.begin[0] = boxes_.image.begin[0] + begin;
  planes.end[0] = boxes_.image.begin[0] + end;
  return plan_.transpose_forward.Inverse().Apply(planes);
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
