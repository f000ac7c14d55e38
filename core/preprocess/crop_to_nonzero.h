#ifndef NNSEG_CORE_PREPROCESS_CROP_TO_NONZERO_H_
#define NNSEG_CORE_PREPROCESS_CROP_TO_NONZERO_H_

#include <cstdint>

#include "core/geometry/box.h"
#include "core/volume/voxel_buffer.h"

namespace nnseg {

/// The smallest box, in the reader's axes, that holds every voxel that is not 0 in some channel;
/// the whole volume when there is none (nnU-Net 2.8.1, preprocessing/cropping). -0 counts as 0, and
/// so does a number that rounds to 0 as a float. Uses ParallelFor.
Box3 NonzeroBox(const VoxelBuffer& voxels);

/// 1 where a voxel within `box` is not 0 in some channel or lies in a hole: zeros that no path of
/// face neighbours connects to the outside of the volume. Else 0. One channel of box.shape(),
/// reader's axes. REQUIRES: box is NonzeroBox(voxels).
Volume<uint8_t> FilledNonzeroMask(const VoxelBuffer& voxels, const Box3& box);

}  // namespace nnseg

#endif  // NNSEG_CORE_PREPROCESS_CROP_TO_NONZERO_H_
