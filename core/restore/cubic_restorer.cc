#include "core/restore/cubic_restorer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/float_environment.h"
#include "core/base/parallel_for.h"
#include "core/resample/resample.h"
#include "core/restore/block_restorer.h"
#include "core/restore/logit_decoder.h"
#include "core/volume/volume_view.h"

namespace nnseg {

CubicRestorer::CubicRestorer(const SegmentationPlan& plan, const CaseProperties& properties,
                             const RestoreBoxes& boxes, RestoreSinks sinks)
    : SlabRestorer(plan, boxes),
      properties_(properties),
      sinks_(std::move(sinks)),
      logits_(
          Volume<Half>::Uninitialized(plan.labels.output_channels(), properties.network_shape)) {
  NNSEG_CHECK(boxes.logits == Box3::Whole(properties.network_shape));
}

absl::Status CubicRestorer::Add(LogitSlab slab) {
  NNSEG_CHECK((slab.begin == Index3{{received_, 0, 0}}));
  NNSEG_CHECK(slab.logits.channels() == logits_.channels());
  NNSEG_CHECK(slab.end() <= logits_.shape()[0]);
  for (int64_t c = 0; c < logits_.channels(); ++c) {
    const auto channel = slab.logits.channel(c);
    std::copy(channel.begin(), channel.end(), &logits_.at(c, {{received_, 0, 0}}));
  }
  received_ = slab.end();
  return absl::OkStatus();
}

absl::Status CubicRestorer::Finish() {
  if (received_ != logits_.shape()[0]) {
    return absl::InternalError(
        absl::StrCat("logits ended at plane ", received_, ", expected ", logits_.shape()[0]));
  }
  const ScopedSubnormals subnormals;
  return sinks_.probabilities ? SendProbabilities() : SendLabels();
}

template <typename Take>
void CubicRestorer::Resample(const Take& take) const {
  auto network = Volume<float>::Uninitialized(1, logits_.shape());
  auto resampled = Volume<double>::Uninitialized(1, properties_.crop.shape());
  const Shape3 image = boxes().image.shape();
  const Index3 origin = boxes().image.begin - properties_.crop.begin;
  for (int64_t c = 0; c < logits_.channels(); ++c) {
    ToFloat(logits_.channel(c), network.voxels());
    ResampleChannel(plan().logits_resampling, ViewOf(std::as_const(network), 0),
                    properties_.network_spacing, properties_.spacing, ViewOf(resampled, 0));
    ParallelFor(image[0] * image[1], [&](int64_t begin, int64_t end) {
      std::vector<Half> logits(image[2]);
      for (int64_t row = begin; row < end; ++row) {
        const Index3 first = origin + Index3{{row / image[1], row % image[1], 0}};
        ToHalf({&resampled.at(0, first), logits.size()}, logits);
        take(c, row * image[2], logits);
      }
    });
  }
}

absl::Status CubicRestorer::SendLabels() const {
  const Shape3 image = boxes().image.shape();
  LogitDecoder decoder(plan().labels);
  decoder.Start(image.voxels());
  Resample([&](int64_t channel, int64_t first, std::span<const Half> logits) {
    decoder.Offer(static_cast<uint16_t>(channel), first, logits);
  });
  LabelBlock block{.box = ReaderBox(0, image[0])};
  block.labels = Volume<uint16_t>::Uninitialized(1, block.box.shape());
  const auto out = ViewOf(block.labels, 0).Permuted(plan().transpose_forward);
  const uint16_t* label = decoder.labels().data();
  for (int64_t i0 = 0; i0 < image[0]; ++i0) {
    for (int64_t i1 = 0; i1 < image[1]; ++i1) {
      for (int64_t i2 = 0; i2 < image[2]; ++i2) out.at({{i0, i1, i2}}) = *label++;
    }
  }
  return sinks_.labels(std::move(block));
}

absl::Status CubicRestorer::SendProbabilities() const {
  const Shape3 image = boxes().image.shape();
  LogitSlab slab{{}, Volume<Half>::Uninitialized(logits_.channels(), image)};
  Resample([&](int64_t channel, int64_t first, std::span<const Half> logits) {
    std::copy(logits.begin(), logits.end(), slab.logits.channel(channel).begin() + first);
  });
  // What is left needs no more resampling.
  const auto identity = [&](int axis) { return AxisOperator::Identity(image[axis]); };
  BlockRestorer blocks(plan(), {boxes().image, Box3::Whole(image)},
                       LogitResampler::Spline(image, {identity(0), identity(1), identity(2)}),
                       sinks_);
  return blocks.Add(std::move(slab));
}

}  // namespace nnseg
