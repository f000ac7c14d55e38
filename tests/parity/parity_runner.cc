// Runs the cases of a folder through the pipeline and prints one JSON object for each: for
// against_nnunet.py.
//
//     parity-runner FOLDER THREADS
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/base/status_macros.h"
#include "tests/parity/agreement.h"

namespace nnseg::parity {
namespace {

absl::StatusOr<nlohmann::json> Run(const ParityCase& parity_case, ModelStore& models) {
  NNSEG_ASSIGN_OR_RETURN(const auto model, models.Get(parity_case));
  NNSEG_ASSIGN_OR_RETURN(const CaseResult result, RunCase(parity_case, model));
  NNSEG_ASSIGN_OR_RETURN(const Agreement agreement, CompareResult(parity_case, result));
  nlohmann::json record{{"voxels", agreement.voxels},
                        {"differing", agreement.differing},
                        {"same_label_type", agreement.same_label_type},
                        {"probability_difference", agreement.largest_probability_difference},
                        {"drift", ""}};
  if (agreement.differing == 0) return record;
  NNSEG_ASSIGN_OR_RETURN(const auto runs, RunStages(parity_case, *model));
  record["drift"] = "labels";
  for (const StageAgreement& stage : CompareStages(parity_case, runs)) {
    if (stage.equal) continue;
    record["drift"] = stage.name + ": " + stage.text;
    break;
  }
  return record;
}

}  // namespace
}  // namespace nnseg::parity

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: parity-runner FOLDER THREADS\n";
    return 2;
  }
  nnseg::parity::ModelStore models(std::atoi(argv[2]));
  for (const auto& parity_case : nnseg::parity::LoadCaseFolder(argv[1])) {
    auto record = nnseg::parity::Run(parity_case, models);
    if (!record.ok()) record = nlohmann::json{{"error", record.status().ToString()}};
    (*record)["name"] = parity_case.name;
    std::cout << *record << std::endl;
  }
}
