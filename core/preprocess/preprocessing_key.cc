#include "core/preprocess/preprocessing_key.h"

#include "absl/strings/str_format.h"

namespace nnseg {

std::string PreprocessingKey(const SegmentationPlan& plan) {
  const AxisPermutation& transpose = plan.transpose_forward;
  const ResamplingRule& resampling = plan.image_resampling;
  std::string key = absl::StrFormat(
      "%d%d%d %dd %a %a %a %d/%d/%d/%d", transpose[0], transpose[1], transpose[2],
      plan.patch_dimensions, plan.spacing[0], plan.spacing[1], plan.spacing[2],
      static_cast<int>(resampling.resampler), resampling.order, resampling.order_z,
      resampling.force_separate_z.has_value() ? static_cast<int>(*resampling.force_separate_z)
                                              : -1);
  for (const ChannelPlan& channel : plan.channels) {
    const IntensityProperties& intensity = channel.intensity;
    absl::StrAppendFormat(&key, " %d/%d/%a/%a/%a/%a", static_cast<int>(channel.normalization),
                          static_cast<int>(channel.use_mask), intensity.mean, intensity.std,
                          intensity.percentile_00_5, intensity.percentile_99_5);
  }
  return key;
}

}  // namespace nnseg
