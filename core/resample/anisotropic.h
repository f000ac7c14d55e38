#ifndef NNSEG_CORE_RESAMPLE_ANISOTROPIC_H_
#define NNSEG_CORE_RESAMPLE_ANISOTROPIC_H_

#include <optional>

#include "core/geometry/index.h"
#include "core/geometry/spacing.h"

namespace nnseg {

/// Voxels per axis of a grid of `target` spacing over an image of `shape` voxels at `current`
/// spacing, halves rounded to even (nnU-Net 2.8.1, default_resampling.compute_new_shape). An axis
/// can come out as 0.
Shape3 ResampledShape(const Shape3& shape, const Spacing3& current, const Spacing3& target);

/// The coarse axis to resample on its own, the other two slice by slice, or nothing when the three
/// axes are resampled together. `force` is the plan's force_separate_z; without it the axis is
/// separate when a grid's coarsest spacing exceeds three times its finest. `current` decides before
/// `target`, so the way there and the way back may choose differently. Two equally coarse axes are
/// never separate (nnU-Net 2.8.1, default_resampling.determine_do_sep_z_and_axis).
std::optional<int> SeparateAxis(std::optional<bool> force, const Spacing3& current,
                                const Spacing3& target);

}  // namespace nnseg

#endif  // NNSEG_CORE_RESAMPLE_ANISOTROPIC_H_
