#include "core/restore/cubic_restorer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/float_environment.h"
#include "core/base/parallel_for.h"
#include "core/resample/resample.h"
#include "core/restore/label_paster.h"
#include "core/restore/logit_decoder.h"

namespace nnseg {

CubicRestorer::CubicRestorer(const SegmentationPlan& plan, const CaseProperties& properties,
                             LabelSink sink)
    : plan_(plan),
      properties_(properties),
      sink_(std::move(sink)),
      logits_(
          Volume<Half>::Uninitialized(plan.labels.output_channels(), properties.network_shape)) {}

absl::Status CubicRestorer::Add(LogitSlab slab) {
  NNSEG_CHECK(slab.begin == received_ && slab.logits.channels() == logits_.channels());
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
  const Shape3 crop = properties_.crop.shape();
  auto network = Volume<float>::Uninitialized(1, logits_.shape());
  auto resampled = Volume<double>::Uninitialized(1, crop);
  LogitDecoder decoder;
  decoder.Start(crop.voxels());
  for (int64_t c = 0; c < logits_.channels(); ++c) {
    ToFloat(logits_.channel(c), network.voxels());
    ResampleChannel(plan_.logits_resampling, ViewOf(std::as_const(network), 0),
                    properties_.network_spacing, properties_.spacing, ViewOf(resampled, 0));
    ParallelFor(crop.voxels(), [&](int64_t begin, int64_t end) {
      std::vector<Half> logits(end - begin);
      ToHalf(std::span<const double>(resampled.voxels()).subspan(begin, end - begin), logits);
      decoder.Offer(static_cast<uint16_t>(c), begin, logits);
    });
  }
  PastedBlock pasted = PasteBlock(properties_, plan_.transpose_forward, 0, crop[0]);
  const uint16_t* label = decoder.labels().data();
  for (int64_t i0 = 0; i0 < crop[0]; ++i0) {
    for (int64_t i1 = 0; i1 < crop[1]; ++i1) {
      for (int64_t i2 = 0; i2 < crop[2]; ++i2) pasted.labels.at({{i0, i1, i2}}) = *label++;
    }
  }
  return sink_(std::move(pasted.block));
}

}  // namespace nnseg
