#include "core/model/loaded_model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/free_memory.h"
#include "core/base/status_macros.h"
#include "core/model/model_references.h"
#include "core/model/precision_choice.h"
#include "core/model/shown_text.h"

namespace nnseg {

absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadedModel::Load(ModelBundle bundle,
                                                                     const Engines& engines,
                                                                     References references,
                                                                     const SecondsClock& clock) {
  NNSEG_RETURN_IF_ERROR(CheckReferences(bundle, references));
  std::shared_ptr<LoadedModel> model(new LoadedModel(std::move(bundle)));
  if (model->bundle_.manifest.is_ensemble()) {
    model->bundle_.plan = references.members.front()->bundle().plan;
  } else {
    NNSEG_ASSIGN_OR_RETURN(model->networks_, LoadNetworks(model->bundle_, engines, clock));
  }
  model->references_ = std::move(references);
  ReturnFreeMemory();
  return model;
}

absl::StatusOr<LoadedModel::Selection> LoadedModel::Select(
    const std::string& engine, const std::string& precision,
    const std::vector<std::string>& folds) const {
  NNSEG_ASSIGN_OR_RETURN(
      const std::string chosen,
      ChoosePrecision({this}, bundle_.manifest.precision_policy, engine, precision));
  NNSEG_ASSIGN_OR_RETURN(const EngineNetworks* networks, FindNetworks(*this, engine, chosen));
  const std::vector<std::string>& known = bundle_.manifest.folds;
  Selection selection;
  selection.scheduler = networks->engine.scheduler.get();
  for (const std::string& fold : folds.empty() ? known : folds) {
    const auto position = std::find(known.begin(), known.end(), fold);
    if (position == known.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "fold is '", ShownText(fold), "', expected one of: ", absl::StrJoin(known, ", ")));
    }
    if (std::find(selection.folds.begin(), selection.folds.end(), fold) != selection.folds.end()) {
      return absl::InvalidArgumentError(absl::StrCat("fold '", fold, "' is named twice"));
    }
    selection.networks.push_back(networks->folds[position - known.begin()].get());
    selection.folds.push_back(fold);
  }
  return selection;
}

}  // namespace nnseg
