#ifndef NNSEG_CORE_PLAN_PLANS_JSON_H_
#define NNSEG_CORE_PLAN_PLANS_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "core/plan/segmentation_plan.h"

namespace nnseg {

/// Reads plans.json and dataset.json by nnU-Net 2.8.1's rules (utilities/plans_handling):
/// inheritance, legacy plans without "architecture", legacy key names.
///
/// Errors name the file and the key: INVALID_ARGUMENT for what is missing or inconsistent,
/// UNIMPLEMENTED for classes, functions and arguments other than those that nnU-Net brings and its
/// planners use.
absl::StatusOr<SegmentationPlan> ParseSegmentationPlan(const std::string& plans_json,
                                                       const std::string& dataset_json,
                                                       const std::string& configuration);

}  // namespace nnseg

#endif  // NNSEG_CORE_PLAN_PLANS_JSON_H_
