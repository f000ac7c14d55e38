#ifndef NNSEG_CORE_PLAN_SEGMENTATION_PLAN_H_
#define NNSEG_CORE_PLAN_SEGMENTATION_PLAN_H_

#include <optional>
#include <string>
#include <vector>

#include "core/geometry/axis_permutation.h"
#include "core/geometry/spacing.h"
#include "core/plan/label_table.h"
#include "core/resample/resampling_rule.h"

namespace nnseg {

/// nnU-Net's normalisation schemes (preprocessing/normalization/default_normalization_schemes).
enum class Normalization { kZScore, kCt, kNone, kRescaleTo01, kRgbTo01 };

/// Statistics of the training set's foreground for one channel, in the image's own unit.
struct IntensityProperties {
  double mean = 0;
  double std = 1;
  double percentile_00_5 = 0;
  double percentile_99_5 = 0;
};

/// How one image channel is normalised.
struct ChannelPlan {
  std::string name;
  Normalization normalization = Normalization::kNone;
  bool use_mask = false;  ///< ZScore over the non-zero mask only
  IntensityProperties intensity;
};

/// Everything of plans.json and dataset.json that inference needs, for one configuration,
/// inheritance and legacy forms resolved. Immutable once parsed; shared by all requests of a model.
struct SegmentationPlan {
  std::string configuration;          ///< "3d_fullres"
  std::string image_reader_writer;    ///< the reader whose axes the network was trained on
  AxisPermutation transpose_forward;  ///< reader axes to internal axes
  /// Axes of the network's patch. 2: it sees slices along internal axis 0, patch_size[0] is 1.
  int patch_dimensions = 3;
  Spacing3 spacing{};   ///< of the network's grid, internal axes; 2D: [0] is 0, see NetworkSpacing
  Shape3 patch_size{};  ///< internal axes
  std::vector<ChannelPlan> channels;
  ResamplingRule image_resampling;
  ResamplingRule labels_resampling;  ///< of a previous stage's label map; read for a cascade
  ResamplingRule logits_resampling;
  LabelTable labels;
  /// Cascade: the configuration whose label map is a further input, one channel for each foreground
  /// label; empty: none.
  std::string previous_stage;

  bool is_cascade() const { return !previous_stage.empty(); }
  /// Spacing of the network's grid for an image of spacing `image` (internal axes): a 2D
  /// configuration leaves axis 0 as it is.
  Spacing3 NetworkSpacing(const Spacing3& image) const {
    Spacing3 result = spacing;
    if (patch_dimensions == 2) result[0] = image[0];
    return result;
  }
};

}  // namespace nnseg

#endif  // NNSEG_CORE_PLAN_SEGMENTATION_PLAN_H_
