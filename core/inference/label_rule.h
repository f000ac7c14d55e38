#ifndef NNSEG_CORE_INFERENCE_LABEL_RULE_H_
#define NNSEG_CORE_INFERENCE_LABEL_RULE_H_

#include <array>
#include <cstdint>
#include <vector>

#include "core/resample/axis_operator.h"
#include "core/volume/volume.h"

namespace nnseg {

/// How labels come from logits where splines of order 0 or 1 lead from the network's grid, or a box
/// of it, to the image's: for those who decide labels where the logits are. Internal axes.
struct LabelRule {
  std::array<AxisOperator, 3> axes;
  /// The label that each region's channel paints. Empty: labels are channels, the largest wins.
  std::vector<uint16_t> painted;
};

/// Finished labels for a range of axis 0 of what a LabelRule leads to.
struct LabelPlanes {
  int64_t begin = 0;
  Volume<uint16_t> labels;  ///< one channel
};

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_LABEL_RULE_H_
