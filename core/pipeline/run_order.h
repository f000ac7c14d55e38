#ifndef NNSEG_CORE_PIPELINE_RUN_ORDER_H_
#define NNSEG_CORE_PIPELINE_RUN_ORDER_H_

#include <vector>

#include "core/model/loaded_model.h"

namespace nnseg {

/// The models whose networks a case runs, in order: the model itself; before a cascade its previous
/// stage, unless the case brings that stage's labels; for an ensemble the same for each member.
/// Never empty; all of them have networks.
std::vector<const LoadedModel*> RunsOf(const LoadedModel& model, bool brings_previous_labels);

/// Whether the model, or a member of it, takes the labels of a previous stage.
bool TakesPreviousLabels(const LoadedModel& model);

}  // namespace nnseg

#endif  // NNSEG_CORE_PIPELINE_RUN_ORDER_H_
