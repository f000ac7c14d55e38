#ifndef NNSEG_CORE_RESTORE_LOGIT_OPERATORS_H_
#define NNSEG_CORE_RESTORE_LOGIT_OPERATORS_H_

#include <array>
#include <variant>

#include "core/geometry/box.h"
#include "core/plan/segmentation_plan.h"
#include "core/preprocess/case_properties.h"
#include "core/resample/axis_operator.h"
#include "core/resample/torch_interpolation.h"

namespace nnseg {

/// Splines that couple all voxels along an axis: cubic ones, and any order along a separate axis.
struct WholeChannelSpline {};

/// How a case's logits come from the network's grid to the crop's: by splines of order 0 or 1 along
/// each axis, by torch's interpolation, or by a spline that needs whole channels.
using LogitOperators =
    std::variant<std::array<AxisOperator, 3>, TorchInterpolation, WholeChannelSpline>;

/// What the plan asks for (nnU-Net 2.8.1, inference/export_prediction). REQUIRES: a plan that
/// resamples nothing has one shape for both grids.
LogitOperators LogitOperatorsFor(const SegmentationPlan& plan, const CaseProperties& properties);

/// What is restored, and from which logits. Internal axes.
struct RestoreBoxes {
  Box3 image;   ///< of the image: the crop, or a part of it
  Box3 logits;  ///< of the network's grid: all that resampling reads for it
};

/// The boxes of `part` of the image. Its logits are a neighbourhood where operators read one; they
/// are the whole grid for a WholeChannelSpline, and for the whole crop. REQUIRES: `part` is not
/// empty and lies in the crop.
RestoreBoxes BoxesFor(const SegmentationPlan& plan, const CaseProperties& properties,
                      const Box3& part);

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_LOGIT_OPERATORS_H_
