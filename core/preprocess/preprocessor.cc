#include "core/preprocess/preprocessor.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/float_environment.h"
#include "core/base/status_macros.h"
#include "core/geometry/geometry.h"
#include "core/preprocess/crop_to_nonzero.h"
#include "core/preprocess/normalization.h"
#include "core/preprocess/previous_labels.h"
#include "core/resample/anisotropic.h"
#include "core/resample/resample.h"
#include "core/resample/resample_labels.h"

namespace nnseg {
namespace {

// `shape` and `spacing` in internal axes.
absl::StatusOr<Shape3> NetworkShape(const SegmentationPlan& plan, const Shape3& shape,
                                    const Spacing3& spacing) {
  if (plan.image_resampling.resampler == Resampler::kNone) return shape;
  const Spacing3 network_spacing = plan.NetworkSpacing(spacing);
  for (int axis = 0; axis < 3; ++axis) {
    const double length = spacing[axis] / network_spacing[axis] * static_cast<double>(shape[axis]);
    // Halves round to even, so 0.5 becomes 0.
    if (length <= 0.5 || length > kMaxAxisVoxels) {
      return absl::InvalidArgumentError(
          absl::StrCat("image of ", ToString(shape), " voxels comes to ", length,
                       " voxels along internal axis ", axis, " at the network's spacing of ",
                       network_spacing[axis], " mm, expected 1 to ", kMaxAxisVoxels));
    }
  }
  return ResampledShape(shape, spacing, network_spacing);
}

absl::Status CheckPreviousLabels(const SegmentationPlan& plan, const Shape3& shape,
                                 const Volume<uint16_t>* labels) {
  if ((labels != nullptr) != plan.is_cascade()) {
    return absl::InvalidArgumentError(
        plan.is_cascade() ? "the previous stage's labels are missing, expected with a cascade"
                          : "got labels of a previous stage, expected none: this is no cascade");
  }
  if (labels == nullptr) return absl::OkStatus();
  if (labels->channels() != 1 || labels->shape() != shape) {
    return absl::InvalidArgumentError(absl::StrCat(
        "labels of the previous stage have ", labels->channels(), " channel(s) of ",
        ToString(labels->shape()), " voxels, expected 1 of the image's ", ToString(shape)));
  }
  // Else image and labels would come to different grids.
  if ((plan.image_resampling.resampler == Resampler::kNone) !=
      (plan.labels_resampling.resampler == Resampler::kNone)) {
    return absl::InvalidArgumentError(
        "the plan resamples only one of image and previous labels, expected both or none");
  }
  return absl::OkStatus();
}

// Fills the channels after the image's own. `cropped` is in the reader's axes.
void AppendPreviousLabels(const SegmentationPlan& plan, const Volume<int32_t>& cropped,
                          PreparedCase& prepared) {
  const CaseProperties& properties = prepared.properties;
  auto resampled = Volume<int32_t>::Uninitialized(1, properties.network_shape);
  ResampleLabels(plan.labels_resampling, ViewOf(cropped, 0).Permuted(plan.transpose_forward),
                 properties.spacing, properties.network_spacing, ViewOf(resampled, 0));
  EncodeOneHot(resampled, plan.labels.foreground_labels(),
               static_cast<int64_t>(plan.channels.size()), prepared.image);
}

}  // namespace

absl::StatusOr<CaseProperties> PropertiesOf(const SegmentationPlan& plan, const Shape3& shape,
                                            const Box3& crop, const Spacing3& spacing) {
  const AxisPermutation& transpose = plan.transpose_forward;
  CaseProperties properties;
  properties.spacing = transpose.Apply(spacing);
  properties.shape_before_cropping = transpose.Apply(shape);
  properties.crop = transpose.Apply(crop);
  properties.network_spacing = plan.NetworkSpacing(properties.spacing);
  NNSEG_ASSIGN_OR_RETURN(properties.network_shape,
                         NetworkShape(plan, properties.crop.shape(), properties.spacing));
  return properties;
}

absl::StatusOr<Shape3> NetworkShapeBound(const SegmentationPlan& plan, const Shape3& shape,
                                         const Spacing3& spacing) {
  NNSEG_ASSIGN_OR_RETURN(const CaseProperties properties,
                         PropertiesOf(plan, shape, Box3::Whole(shape), spacing));
  return properties.network_shape;
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
  NNSEG_RETURN_IF_ERROR(CheckPreviousLabels(plan, voxels.shape(), previous_labels));
  NNSEG_RETURN_IF_ERROR(voxels.CheckFinite());
  NNSEG_RETURN_IF_ERROR(token.Check());

  // Transpose: axes only; voxels stay where they are and are seen through strides.
  const AxisPermutation& transpose = plan.transpose_forward;
  PreparedCase prepared;

  // Crop.
  const Box3 box = NonzeroBox(voxels);
  NNSEG_ASSIGN_OR_RETURN(prepared.properties, PropertiesOf(plan, voxels.shape(), box, spacing));
  const CaseProperties& properties = prepared.properties;
  NNSEG_RETURN_IF_ERROR(token.Check());
  Volume<uint8_t> mask;
  Volume<int32_t> labels;
  VolumeView<const uint8_t> mask_view;
  const bool is_cascade = previous_labels != nullptr;
  if (is_cascade || std::any_of(plan.channels.begin(), plan.channels.end(), NormalizesUnderMask)) {
    mask = FilledNonzeroMask(voxels, box);
    if (is_cascade) {
      labels = CropPreviousLabels(*previous_labels, box, mask);
      mask = NormalizationMask(labels);
    }
    mask_view = ViewOf(std::as_const(mask), 0).Permuted(transpose);
  }

  const auto label_channels =
      is_cascade ? static_cast<int64_t>(plan.labels.foreground_labels().size()) : 0;
  prepared.image =
      Volume<float>::Uninitialized(channels + label_channels, properties.network_shape);
  for (int64_t c = 0; c < channels; ++c) {
    NNSEG_RETURN_IF_ERROR(token.Check());
    Volume<float> channel = voxels.ToFloat(c);
    const auto image = ViewOf(channel, 0).Permuted(transpose).Cropped(properties.crop);

    // Normalise.
    NNSEG_RETURN_IF_ERROR(NormalizeChannel(plan.channels[c], image, mask_view));
    NNSEG_RETURN_IF_ERROR(token.Check());

    // Resample.
    ResampleChannel(plan.image_resampling, {image.data, image.shape, image.strides},
                    properties.spacing, properties.network_spacing, ViewOf(prepared.image, c),
                    {c, channels});
  }
  if (is_cascade) {
    NNSEG_RETURN_IF_ERROR(token.Check());
    AppendPreviousLabels(plan, labels, prepared);
  }
  return prepared;
}

}  // namespace nnseg
