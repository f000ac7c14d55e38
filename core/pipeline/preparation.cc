#include "core/pipeline/preparation.h"

#include <string>
#include <utility>

#include "core/base/status_macros.h"
#include "core/base/stop_watch.h"
#include "core/preprocess/preprocessing_key.h"

namespace nnseg {

absl::StatusOr<Preparation> PrepareFor(const LoadedModel& model,
                                       const SegmentationCase& segmentation_case,
                                       const Volume<uint16_t>* previous_labels) {
  const SegmentationPlan& plan = model.bundle().plan;
  PreparedCache* const cache =
      previous_labels == nullptr ? segmentation_case.prepared_cache.get() : nullptr;
  std::string key;
  if (cache != nullptr) {
    key = PreprocessingKey(plan);
    if (auto found = cache->Find(key)) return Preparation{.prepared = std::move(found)};
  }
  StopWatch watch;
  NNSEG_ASSIGN_OR_RETURN(PreparedCase made,
                         Preprocess(plan, *segmentation_case.voxels, segmentation_case.spacing,
                                    previous_labels, segmentation_case.token));
  Preparation preparation{.prepared = std::make_shared<const PreparedCase>(std::move(made)),
                          .seconds = watch.Lap()};
  if (cache != nullptr) cache->Offer(key, preparation.prepared);
  return preparation;
}

}  // namespace nnseg
