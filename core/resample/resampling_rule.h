#ifndef NNSEG_CORE_RESAMPLE_RESAMPLING_RULE_H_
#define NNSEG_CORE_RESAMPLE_RESAMPLING_RULE_H_

#include <optional>

namespace nnseg {

/// The functions that a plan may name for resampling.
enum class Resampler {
  kSpline,  ///< resample_data_or_seg_to_shape: scikit-image and scipy splines
  kTorch,   ///< resample_torch_fornnunet: torch's linear interpolation in float32
  kNone,    ///< no_resampling_hack: the network sees the image's own grid
};

/// A plan's resampling_fn_* and its kwargs. Defaults are those of resample_data_or_seg_to_shape;
/// the parser sets those of the function that the plan names.
struct ResamplingRule {
  Resampler resampler = Resampler::kSpline;
  int order = 3;    ///< spline order 0, 1 or 3
  int order_z = 0;  ///< order along the coarse axis under separate z
  std::optional<bool> force_separate_z =
      false;  ///< nothing: decide by anisotropy (null in plans.json)
  /// kTorch on labels: threshold each label's indicator at 0.5 instead of comparing labels.
  bool memory_efficient_labels = false;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_RESAMPLE_RESAMPLING_RULE_H_
