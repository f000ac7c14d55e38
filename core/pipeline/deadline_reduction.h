#ifndef NNSEG_CORE_PIPELINE_DEADLINE_REDUCTION_H_
#define NNSEG_CORE_PIPELINE_DEADLINE_REDUCTION_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/pipeline/run_order.h"
#include "core/pipeline/segmentation_case.h"

namespace nnseg {

/// Forward passes that a run of the case needs with these options.
using PassCount =
    std::function<absl::StatusOr<int64_t>(const CaseRun& run, const SegmentationOptions&)>;

/// Seconds from now until `runs` are done with these options: each network's measured pass time
/// (PassRecord) times its passes, behind and beside what the device's other lanes have announced,
/// and a tenth more for what surrounds the network. REQUIRES: at least one run.
absl::StatusOr<double> EstimateSeconds(const std::vector<CaseRun>& runs,
                                       const SegmentationOptions& options, const PassCount& passes);

/// Takes out of `options`, for all of the case's runs alike, what must be left out so that a
/// prediction that begins now meets `deadline`: mirroring, and if that is not enough, all folds but
/// the first that every run has. What can be left out is, where even that is too slow. Returns what
/// was taken out, in that order; nothing unless options.reduce_to_deadline.
absl::StatusOr<std::vector<Reduction>> ReduceToDeadline(
    const std::vector<CaseRun>& runs, CancellationToken::Clock::time_point deadline,
    const PassCount& passes, SegmentationOptions& options);

}  // namespace nnseg

#endif  // NNSEG_CORE_PIPELINE_DEADLINE_REDUCTION_H_
