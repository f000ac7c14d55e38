#ifndef NNSEG_CORE_POSTPROCESS_LARGEST_COMPONENT_H_
#define NNSEG_CORE_POSTPROCESS_LARGEST_COMPONENT_H_

#include <cstdint>

#include "core/plan/postprocessing_rules.h"
#include "core/volume/volume.h"

namespace nnseg {

/// Of the union of the rule's labels only the largest component stays, or all of its size; the rest
/// becomes the rule's background (nnU-Net 2.8.1,
/// remove_all_but_largest_component_from_segmentation; acvl_utils 0.2.6, morphology_helper). Labels
/// outside of uint16 are in no map. REQUIRES: one channel, fewer than 2^32 voxels.
void KeepLargestComponent(const LargestComponentRule& rule, Volume<uint16_t>& labels);

}  // namespace nnseg

#endif  // NNSEG_CORE_POSTPROCESS_LARGEST_COMPONENT_H_
