#ifndef NNSEG_CORE_PLAN_DATASET_JSON_H_
#define NNSEG_CORE_PLAN_DATASET_JSON_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/plan/label_table.h"

namespace nnseg {

/// What inference reads of dataset.json.
struct Dataset {
  std::vector<std::string> channel_names;  ///< of the image, in input order
  LabelTable labels;
};

/// Reads dataset.json by nnU-Net 2.8.1's rules (utilities/label_handling); the key `modality` of
/// older data sets wins over `channel_names`. INVALID_ARGUMENT names the key.
absl::StatusOr<Dataset> ParseDataset(const std::string& dataset_json);

}  // namespace nnseg

#endif  // NNSEG_CORE_PLAN_DATASET_JSON_H_
