#ifndef NNSEG_TESTS_PARITY_AGREEMENT_H_
#define NNSEG_TESTS_PARITY_AGREEMENT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/parity/case_run.h"

namespace nnseg::parity {

/// How a result compares with nnU-Net's.
struct Agreement {
  int64_t voxels = 0;
  int64_t differing = 0;
  double largest_probability_difference = 0;
  bool same_label_type = true;

  double equal_fraction() const {
    return 1.0 - static_cast<double>(differing) / static_cast<double>(voxels);
  }
};

/// INTERNAL when shapes differ.
absl::StatusOr<Agreement> CompareResult(const ParityCase& parity_case, const CaseResult& result);

/// How one stage compares.
struct StageAgreement {
  std::string name;  ///< "cascade preprocessed"
  bool equal = false;
  std::string text;  ///< "12 of 3944 values differ, largest difference 1e-07"
};

/// All stages of which nnU-Net's are known, in order: the first that differs has drifted.
std::vector<StageAgreement> CompareStages(const ParityCase& parity_case,
                                          const std::vector<StagedRun>& runs);

/// One line for each stage.
std::string ToString(const std::vector<StageAgreement>& stages);

}  // namespace nnseg::parity

#endif  // NNSEG_TESTS_PARITY_AGREEMENT_H_
