#ifndef NNSEG_CORE_PIPELINE_PREPARATION_H_
#define NNSEG_CORE_PIPELINE_PREPARATION_H_

#include <memory>

#include "absl/status/statusor.h"
#include "core/pipeline/segmentation_case.h"
#include "core/preprocess/preprocessor.h"

namespace nnseg {

/// An image prepared for one run; shared with the case's cache, if it has one.
struct Preparation {
  std::shared_ptr<const PreparedCase> prepared;
  double seconds = 0;  ///< wall time; 0: it was in the cache
};

/// Preprocesses the case's image for a run of `model`, or finds it in the case's cache.
/// `previous_labels` as for Preprocess: with them nothing is looked up or kept. Thread-safe.
absl::StatusOr<Preparation> PrepareFor(const LoadedModel& model,
                                       const SegmentationCase& segmentation_case,
                                       const Volume<uint16_t>* previous_labels);

}  // namespace nnseg

#endif  // NNSEG_CORE_PIPELINE_PREPARATION_H_
