#ifndef NNSEG_CORE_RESTORE_READER_BOX_H_
#define NNSEG_CORE_RESTORE_READER_BOX_H_

#include <cstdint>

#include "core/geometry/axis_permutation.h"
#include "core/geometry/box.h"
#include "core/preprocess/case_properties.h"

namespace nnseg {

/// Where the planes [begin, end) along axis 0 of the crop lie in the whole image, in the reader's
/// axes: the box of the block that they become.
inline Box3 ReaderBox(const CaseProperties& properties, const AxisPermutation& transpose_forward,
                      int64_t begin, int64_t end) {
  Box3 internal = properties.crop;
  internal.end[0] = internal.begin[0] + end;
  internal.begin[0] += begin;
  return transpose_forward.Inverse().Apply(internal);
}

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_READER_BOX_H_
