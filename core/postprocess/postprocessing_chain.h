#ifndef NNSEG_CORE_POSTPROCESS_POSTPROCESSING_CHAIN_H_
#define NNSEG_CORE_POSTPROCESS_POSTPROCESSING_CHAIN_H_

#include <cstdint>

#include "absl/status/status.h"
#include "core/base/cancellation.h"
#include "core/plan/postprocessing_rules.h"
#include "core/volume/volume.h"

namespace nnseg {

/// Applies nnU-Net's post-processing to a whole label map (one channel, axes do not matter), step
/// after step (nnU-Net 2.8.1, postprocessing/remove_connected_components). Components are connected
/// through faces, edges and corners; of several largest ones of equal size all stay.
///
/// CANCELLED or DEADLINE_EXCEEDED by `token`; the labels are then half done. Uses ParallelFor.
absl::Status ApplyPostprocessing(const PostprocessingRules& rules, const CancellationToken& token,
                                 Volume<uint16_t>& labels);

/// Host bytes that it holds beyond the label map of `voxels` voxels, for admission.
int64_t PostprocessingBytes(int64_t voxels);

}  // namespace nnseg

#endif  // NNSEG_CORE_POSTPROCESS_POSTPROCESSING_CHAIN_H_
