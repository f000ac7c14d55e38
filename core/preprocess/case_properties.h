#ifndef NNSEG_CORE_PREPROCESS_CASE_PROPERTIES_H_
#define NNSEG_CORE_PREPROCESS_CASE_PROPERTIES_H_

#include "core/geometry/box.h"
#include "core/geometry/spacing.h"

namespace nnseg {

/// What restoring a label map needs to know of its image. Internal axes (after transpose_forward).
struct CaseProperties {
  Spacing3 spacing{};              ///< of the image as sent
  Shape3 shape_before_cropping{};  ///< of the image as sent
  Box3 crop{};                     ///< the non-zero box within it
  Spacing3 network_spacing{};      ///< of the grid that the network sees
  Shape3 network_shape{};          ///< the crop on that grid, before padding to the patch
};

}  // namespace nnseg

#endif  // NNSEG_CORE_PREPROCESS_CASE_PROPERTIES_H_
