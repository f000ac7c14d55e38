#ifndef NNSEG_CORE_PIPELINE_RUN_ORDER_H_
#define NNSEG_CORE_PIPELINE_RUN_ORDER_H_

#include <vector>

#include "core/model/loaded_model.h"

namespace nnseg {

/// One model's networks over a case.
struct CaseRun {
  const LoadedModel* model = nullptr;  ///< has networks
  /// Its labels are the next run's input, so it covers the whole image whatever the case's regions.
  bool is_previous_stage = false;
};

/// The runs of a case, in order: the model itself; before a cascade its previous stage, unless the
/// case brings that stage's labels; for an ensemble the same for each member. Never empty.
std::vector<CaseRun> RunsOf(const LoadedModel& model, bool brings_previous_labels);

/// Whether the model, or a member of it, takes the labels of a previous stage.
bool TakesPreviousLabels(const LoadedModel& model);

}  // namespace nnseg

#endif  // NNSEG_CORE_PIPELINE_RUN_ORDER_H_
