#ifndef NNSEG_CORE_TILING_MIRROR_AXES_H_
#define NNSEG_CORE_TILING_MIRROR_AXES_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/geometry/index.h"

namespace nnseg {

/// The patch axes that one forward pass is mirrored over.
using Mirror = std::array<bool, 3>;

/// The mirrors of test-time augmentation in nnU-Net 2.8.1's order: none, then all subsets of `axes`
/// by size, each size in the order of `axes`. INVALID_ARGUMENT unless axes are distinct and within
/// 0 to 2.
absl::StatusOr<std::vector<Mirror>> MirrorsOf(std::span<const int> axes);

/// Mirrors (channels x patch), dense C order, in place.
void MirrorPatch(const Mirror& mirror, const Shape3& patch_size, std::span<float> patch);

/// Adds the mirror image of `patch` to `sum`, both (channels x patch size).
void AddMirrored(const Mirror& mirror, const Shape3& patch_size, std::span<const float> patch,
                 std::span<float> sum);

}  // namespace nnseg

#endif  // NNSEG_CORE_TILING_MIRROR_AXES_H_
