#include "core/model/loaded_model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/base/stop_watch.h"
#include "core/model/model_references.h"

namespace nnseg {
namespace {

constexpr std::size_t kMaxShown = 64;  // characters of a client's text in an error

std::string Shown(const std::string& text) { return absl::CHexEscape(text.substr(0, kMaxShown)); }

PatchSignature SignatureOf(const BundleManifest& manifest) {
  return {.input_channels = manifest.input_channels,
          .output_channels = manifest.output_channels,
          .patch_size = manifest.patch_size,
          .patch_dimensions = manifest.patch_dimensions};
}

/// Loads one fold and runs it once, on the device's thread: lazy allocations and kernel choices are
/// then behind us.
absl::StatusOr<std::unique_ptr<PatchNetwork>> LoadWarm(const Engine& engine,
                                                       const std::string& file,
                                                       const PatchSignature& signature) {
  std::unique_ptr<PatchNetwork> network;
  NNSEG_RETURN_IF_ERROR(engine.scheduler->RunOnDevice([&]() -> absl::Status {
    NNSEG_ASSIGN_OR_RETURN(network, engine.loader->Load(file, signature));
    const std::vector<float> input(static_cast<std::size_t>(signature.input_size()));
    std::vector<float> output(static_cast<std::size_t>(signature.output_size()));
    StopWatch watch;
    NNSEG_RETURN_IF_ERROR(network->Run(input, output));
    network->record().Add(watch.Lap(), 1);  // a first idea, until cases have run
    return absl::OkStatus();
  }));
  return network;
}

std::string EngineNames(const std::map<std::string, std::map<std::string, std::string>>& engines) {
  return absl::StrJoin(engines, ", ", [](std::string* out, const auto& engine) {
    absl::StrAppend(out, engine.first);
  });
}

/// Loads every fold for every engine of the host that the bundle has files for.
absl::StatusOr<std::vector<LoadedModel::EngineNetworks>> LoadNetworks(const ModelBundle& bundle,
                                                                      const Engines& engines) {
  const PatchSignature signature = SignatureOf(bundle.manifest);
  std::vector<LoadedModel::EngineNetworks> loaded;
  for (const Engine& engine : engines) {
    const auto files = bundle.manifest.engines.find(engine.loader->engine());
    if (files == bundle.manifest.engines.end()) continue;
    LoadedModel::EngineNetworks networks{engine, {}};
    for (const std::string& fold : bundle.manifest.folds) {
      const std::string file = (bundle.folder / files->second.at(fold)).string();
      NNSEG_ASSIGN_OR_RETURN(std::unique_ptr<PatchNetwork> network,
                             LoadWarm(engine, file, signature));
      networks.folds.push_back(std::move(network));
    }
    loaded.push_back(std::move(networks));
  }
  if (loaded.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("the bundle has files for ",
                                                      EngineNames(bundle.manifest.engines),
                                                      ", none of which this host offers"));
  }
  return loaded;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadedModel::Load(ModelBundle bundle,
                                                                     const Engines& engines,
                                                                     References references) {
  NNSEG_RETURN_IF_ERROR(CheckReferences(bundle, references));
  std::shared_ptr<LoadedModel> model(new LoadedModel(std::move(bundle)));
  if (model->bundle_.manifest.is_ensemble()) {
    model->bundle_.plan = references.members.front()->bundle().plan;
  } else {
    NNSEG_ASSIGN_OR_RETURN(model->engines_, LoadNetworks(model->bundle_, engines));
  }
  model->references_ = std::move(references);
  return model;
}

absl::StatusOr<LoadedModel::Selection> LoadedModel::Select(
    const std::string& engine, const std::vector<std::string>& folds) const {
  const bool any = engine.empty() || engine == "auto";
  const auto chosen = std::find_if(engines_.begin(), engines_.end(), [&](const auto& candidate) {
    return any || candidate.engine.loader->engine() == engine;
  });
  if (chosen == engines_.end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "engine is '", Shown(engine), "', expected one of: auto, ",
        absl::StrJoin(engines_, ", ", [](std::string* out, const EngineNetworks& candidate) {
          absl::StrAppend(out, candidate.engine.loader->engine());
        })));
  }
  const std::vector<std::string>& known = bundle_.manifest.folds;
  Selection selection;
  selection.scheduler = chosen->engine.scheduler.get();
  for (const std::string& fold : folds.empty() ? known : folds) {
    const auto position = std::find(known.begin(), known.end(), fold);
    if (position == known.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "fold is '", Shown(fold), "', expected one of: ", absl::StrJoin(known, ", ")));
    }
    if (std::find(selection.folds.begin(), selection.folds.end(), fold) != selection.folds.end()) {
      return absl::InvalidArgumentError(absl::StrCat("fold '", fold, "' is named twice"));
    }
    selection.networks.push_back(chosen->folds[position - known.begin()].get());
    selection.folds.push_back(fold);
  }
  return selection;
}

}  // namespace nnseg
