#ifndef NNSEG_CORE_PIPELINE_CASE_CHECK_H_
#define NNSEG_CORE_PIPELINE_CASE_CHECK_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "core/model/loaded_model.h"
#include "core/pipeline/segmentation_case.h"

namespace nnseg {

/// Replaces options.precision by the one in which all runs of the case go (ChoosePrecision, with
/// the model's policy), so that it means the same for each of them. Errors as there; a second call
/// changes nothing.
absl::Status ResolvePrecision(const LoadedModel& model, bool brings_previous_labels,
                              SegmentationOptions& options);

/// Checks a case's options against its model before any work: fold names, engine and precision,
/// step size, whether labels of a previous stage are there when, and only when, they can be used,
/// and that regions are not to be post-processed. INVALID_ARGUMENT naming got and expected.
absl::Status ValidateOptions(const LoadedModel& model, const SegmentationOptions& options,
                             bool brings_previous_labels, bool has_regions = false);

/// Bytes that a case needs at its peak.
struct WorkingBytes {
  int64_t host = 0;    ///< beyond the voxels as sent
  int64_t device = 0;  ///< beyond the networks and their passes; 0 where no volume is kept there
};

/// What segmenting an image of `shape` at `spacing` (reader axes), or the regions of it, needs:
/// what admission counts. The host's part is enough whether volumes are kept on the device or not.
/// INVALID_ARGUMENT when the network's grid would be absurd.
absl::StatusOr<WorkingBytes> EstimateWorkingBytes(const LoadedModel& model,
                                                  const SegmentationOptions& options,
                                                  bool brings_previous_labels, PixelType type,
                                                  const Shape3& shape, const Spacing3& spacing,
                                                  const std::vector<Box3>& regions = {});

}  // namespace nnseg

#endif  // NNSEG_CORE_PIPELINE_CASE_CHECK_H_
