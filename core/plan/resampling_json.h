#ifndef NNSEG_CORE_PLAN_RESAMPLING_JSON_H_
#define NNSEG_CORE_PLAN_RESAMPLING_JSON_H_

#include "absl/status/statusor.h"
#include "core/plan/json_node.h"
#include "core/resample/resampling_rule.h"

namespace nnseg {

/// Part of the implementation of core/plan: include it in its .cc files only.
///
/// What a resampling function works on; its argument is_seg must say the same.
enum class ResamplingPlace { kValues, kLabels };

/// Reads a plan's resampling_fn_* (`function`, its name) and resampling_fn_*_kwargs. Arguments that
/// are missing take that function's defaults. INVALID_ARGUMENT for an argument that the function
/// does not have, UNIMPLEMENTED for a function or a value that is not served.
absl::StatusOr<ResamplingRule> ParseResamplingRule(const JsonNode& function, const JsonNode& kwargs,
                                                   ResamplingPlace place);

}  // namespace nnseg

#endif  // NNSEG_CORE_PLAN_RESAMPLING_JSON_H_
