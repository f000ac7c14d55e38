#ifndef NNSEG_TESTS_PARITY_CASE_RUN_H_
#define NNSEG_TESTS_PARITY_CASE_RUN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/volume/half.h"
#include "tests/parity/model_store.h"

namespace nnseg::parity {

/// What the pipeline answers for a case, on the whole image; reader axes.
struct CaseResult {
  Volume<uint16_t> labels;
  LabelType label_type = LabelType::kUint8;
  Volume<float> probabilities;  ///< empty unless the case asks for them
};

/// Runs the case, or the given regions of it, through the pipeline, as a server does.
absl::StatusOr<CaseResult> RunCase(const ParityCase& parity_case,
                                   std::shared_ptr<const LoadedModel> model,
                                   const std::vector<Box3>& regions = {});

/// One model's run within a case.
struct StagedRun {
  std::string model;
  Volume<float> preprocessed;  ///< channels x network grid, internal axes
  Volume<Half> logits;         ///< output channels x network grid
};

/// Runs the case stage by stage, in the pipeline's order of models, and keeps what stages leave.
absl::StatusOr<std::vector<StagedRun>> RunStages(const ParityCase& parity_case,
                                                 const LoadedModel& model);

}  // namespace nnseg::parity

#endif  // NNSEG_TESTS_PARITY_CASE_RUN_H_
