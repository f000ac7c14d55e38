#ifndef NNSEG_CORE_PLAN_POSTPROCESSING_RULES_H_
#define NNSEG_CORE_PLAN_POSTPROCESSING_RULES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace nnseg {

/// One step of nnU-Net's post-processing, remove_all_but_largest_component_from_segmentation: of
/// the union of `labels` only the largest component stays, the rest becomes `background`.
struct LargestComponentRule {
  std::vector<int> labels;  ///< a label, or the labels of a region; ascending, without repetition
  int background = 0;
};

/// Steps in the order in which they are applied, each to the result of the one before.
using PostprocessingRules = std::vector<LargestComponentRule>;

/// Reads postprocessing.json as nnU-Net 2.8.1 writes it
/// (postprocessing/remove_connected_components): the keys postprocessing_fns and
/// postprocessing_kwargs. Errors name the key: INVALID_ARGUMENT for what is missing or
/// inconsistent, UNIMPLEMENTED for another function.
absl::StatusOr<PostprocessingRules> ParsePostprocessingRules(const std::string& json);

}  // namespace nnseg

#endif  // NNSEG_CORE_PLAN_POSTPROCESSING_RULES_H_
