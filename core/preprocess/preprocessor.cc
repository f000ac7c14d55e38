#include "core/preprocess/preprocessor.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/float_environment.h"
#include "core/base/status_macros.h"
#include "core/geometry/geometry.h"
#include "core/preprocess/crop_to_nonzero.h"
#include "core/preprocess/normalization.h"
#include "core/resample/anisotropic.h"
#include "core/resample/resample.h"

namespace nnseg {
namespace {

// `shape` and `spacing` in internal axes.
absl::StatusOr<Shape3> NetworkShape(const SegmentationPlan& plan, const Shape3& shape,
                                    const Spacing3& spacing) {
  if (plan.image_resampling.resampler == Resampler::kNone) return shape;
  for (int axis = 0; axis < 3; ++axis) {
    const double length = spacing[axis] / plan.spacing[axis] * static_cast<double>(shape[axis]);
    // Halves round to even, so 0.5 becomes 0.
    if (length <= 0.5 || length > kMaxAxisVoxels) {
      return absl::InvalidArgumentError(
          absl::StrCat("image of ", ToString(shape), " voxels comes to ", length,
                       " voxels along internal axis ", axis, " at the network's spacing of ",
                       plan.spacing[axis], " mm, expected 1 to ", kMaxAxisVoxels));
    }
  }
  return ResampledShape(shape, spacing, plan.spacing);
}

}  // namespace

absl::StatusOr<Shape3> NetworkShapeBound(const SegmentationPlan& plan, const Shape3& shape,
                                         const Spacing3& spacing) {
  return NetworkShape(plan, plan.transpose_forward.Apply(shape),
                      plan.transpose_forward.Apply(spacing));
}

absl::StatusOr<PreparedCase> Preprocess(const SegmentationPlan& plan, const VoxelBuffer& voxels,
                                        const Spacing3& spacing,
                                        const Volume<uint16_t>* previous_labels,
                                        const CancellationToken& token) {
  const ScopedSubnormals subnormals;
  const auto channels = static_cast<int64_t>(plan.channels.size());
  if (voxels.channels() != channels) {
    return absl::InvalidArgumentError(
        absl::StrCat("image has ", voxels.channels(), " channel(s), expected ", channels));
  }
  if ((previous_labels != nullptr) != plan.is_cascade()) {
    return absl::InvalidArgumentError(
        plan.is_cascade() ? "the previous stage's labels are missing, expected with a cascade"
                          : "got labels of a previous stage, expected none: this is no cascade");
  }
  NNSEG_RETURN_IF_ERROR(voxels.CheckFinite());
  NNSEG_RETURN_IF_ERROR(token.Check());

  // Transpose: axes only; voxels stay where they are and are seen through strides.
  const AxisPermutation& transpose = plan.transpose_forward;
  PreparedCase prepared;
  CaseProperties& properties = prepared.properties;
  properties.spacing = transpose.Apply(spacing);
  properties.shape_before_cropping = transpose.Apply(voxels.shape());

  // Crop.
  const Box3 box = NonzeroBox(voxels);
  properties.crop = transpose.Apply(box);
  NNSEG_RETURN_IF_ERROR(token.Check());
  Volume<uint8_t> mask;
  VolumeView<const uint8_t> mask_view;
  if (std::any_of(plan.channels.begin(), plan.channels.end(), NormalizesUnderMask)) {
    mask = FilledNonzeroMask(voxels, box);
    mask_view = ViewOf(std::as_const(mask), 0).Permuted(transpose);
  }

  properties.network_spacing = plan.spacing;
  NNSEG_ASSIGN_OR_RETURN(properties.network_shape,
                         NetworkShape(plan, properties.crop.shape(), properties.spacing));
  prepared.image = Volume<float>::Uninitialized(channels, properties.network_shape);
  for (int64_t c = 0; c < channels; ++c) {
    NNSEG_RETURN_IF_ERROR(token.Check());
    Volume<float> channel = voxels.ToFloat(c);
    const auto image = ViewOf(channel, 0).Permuted(transpose).Cropped(properties.crop);

    // Normalise.
    NNSEG_RETURN_IF_ERROR(NormalizeChannel(plan.channels[c], image, mask_view));
    NNSEG_RETURN_IF_ERROR(token.Check());

    // Resample.
    ResampleChannel(plan.image_resampling, {image.data, image.shape, image.strides},
                    properties.spacing, properties.network_spacing, ViewOf(prepared.image, c));
  }
  return prepared;
}

}  // namespace nnseg
