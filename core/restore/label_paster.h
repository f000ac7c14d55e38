#ifndef NNSEG_CORE_RESTORE_LABEL_PASTER_H_
#define NNSEG_CORE_RESTORE_LABEL_PASTER_H_

#include <cstdint>

#include "core/geometry/axis_permutation.h"
#include "core/preprocess/case_properties.h"
#include "core/volume/label_map.h"
#include "core/volume/volume_view.h"

namespace nnseg {

/// A range of axis 0 of the crop on its way back to the reader's axes: fill `labels`, then send
/// `block`.
struct PastedBlock {
  LabelBlock block;             ///< in the reader's axes and the whole image's positions
  VolumeView<uint16_t> labels;  ///< the same voxels in internal axes, into `block`
};

/// Makes room for the labels of [begin, end) along axis 0 of the crop.
inline PastedBlock PasteBlock(const CaseProperties& properties,
                              const AxisPermutation& transpose_forward, int64_t begin,
                              int64_t end) {
  Box3 internal = properties.crop;
  internal.end[0] = internal.begin[0] + end;
  internal.begin[0] += begin;
  PastedBlock pasted;
  pasted.block.box = transpose_forward.Inverse().Apply(internal);
  pasted.block.labels = Volume<uint16_t>::Uninitialized(1, pasted.block.box.shape());
  pasted.labels = ViewOf(pasted.block.labels, 0).Permuted(transpose_forward);
  return pasted;
}

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_LABEL_PASTER_H_
