#ifndef NNSEG_TESTS_PARITY_STAGED_RUN_H_
#define NNSEG_TESTS_PARITY_STAGED_RUN_H_

#include <string>

#include "absl/status/statusor.h"
#include "core/model/loaded_model.h"
#include "core/preprocess/preprocessor.h"
#include "core/volume/half.h"
#include "tests/parity/parity_case.h"

namespace nnseg::parity {

/// A case's result with what each stage left behind.
struct StagedRun {
  PreparedCase prepared;
  Volume<Half> logits;      ///< output channels x network grid
  Volume<uint16_t> labels;  ///< image grid, reader axes
};

/// Runs `parity_case` stage by stage with the networks of `engine`, keeping every stage's output.
absl::StatusOr<StagedRun> RunStages(const ParityCase& parity_case, const LoadedModel& model,
                                    const std::string& engine);

/// How a run compares with nnU-Net's own outputs.
struct Agreement {
  int64_t voxels = 0;
  int64_t differing = 0;
  /// One line for each stage that was dumped, in order: the first one with a difference has
  /// drifted.
  std::string stages;

  double equal_fraction() const {
    return 1.0 - static_cast<double>(differing) / static_cast<double>(voxels);
  }
};

absl::StatusOr<Agreement> CompareWithGolden(const ParityCase& parity_case, const StagedRun& run);

}  // namespace nnseg::parity

#endif  // NNSEG_TESTS_PARITY_STAGED_RUN_H_
