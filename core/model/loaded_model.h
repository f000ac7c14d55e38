#ifndef NNSEG_CORE_MODEL_LOADED_MODEL_H_
#define NNSEG_CORE_MODEL_LOADED_MODEL_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/inference/network_loader.h"
#include "core/inference/tile_scheduler.h"
#include "core/model/model_bundle.h"

namespace nnseg {

/// An engine that a host offers: how to load for it, and the scheduler of its device.
struct Engine {
  std::shared_ptr<NetworkLoader> loader;
  std::shared_ptr<TileScheduler> scheduler;  ///< one per device, shared by its engines
};

/// The engines of this host in order of preference: `auto` takes the first that a model has files
/// for.
using Engines = std::vector<Engine>;

/// A bundle with all folds resident and warm. Immutable but for the networks' insides, which only
/// the schedulers' threads touch; requests share it as shared_ptr<const LoadedModel>. An ensemble
/// has members instead of networks; a cascade holds its previous stage as well.
class LoadedModel {
 public:
  /// The networks of one engine, by fold, in the manifest's order.
  struct EngineNetworks {
    Engine engine;
    std::vector<std::unique_ptr<PatchNetwork>> folds;
  };

  /// The models that a bundle refers to, resident.
  struct References {
    std::vector<std::shared_ptr<const LoadedModel>> members;  ///< in the manifest's order
    std::shared_ptr<const LoadedModel> previous_stage;
  };

  /// Loads every fold for every engine that the bundle has files for and runs each network once on
  /// the device thread (warm-up). FAILED_PRECONDITION when no engine of this host can run the
  /// bundle; INVALID_ARGUMENT when the members or the previous stage do not fit together (label
  /// sets, channels, reader), naming what differs.
  static absl::StatusOr<std::shared_ptr<const LoadedModel>> Load(ModelBundle bundle,
                                                                 const Engines& engines,
                                                                 References references = {});

  const ModelBundle& bundle() const { return bundle_; }
  /// Empty for an ensemble.
  const std::vector<EngineNetworks>& engines() const { return engines_; }
  /// Of an ensemble; else empty.
  const std::vector<std::shared_ptr<const LoadedModel>>& members() const {
    return references_.members;
  }
  /// Of a cascade that names one; else null: then each case must bring the previous stage's labels.
  const std::shared_ptr<const LoadedModel>& previous_stage() const {
    return references_.previous_stage;
  }

  /// The networks for a request. `engine`: "" or "auto" (the host's preference) or an engine's
  /// name; `folds`: names, empty for all. INVALID_ARGUMENT names what exists when something asked
  /// for does not. REQUIRES: no ensemble.
  struct Selection {
    std::vector<PatchNetwork*> networks;
    std::vector<std::string> folds;
    TileScheduler* scheduler = nullptr;
  };
  absl::StatusOr<Selection> Select(const std::string& engine,
                                   const std::vector<std::string>& folds) const;

 private:
  explicit LoadedModel(ModelBundle bundle) : bundle_(std::move(bundle)) {}

  ModelBundle bundle_;
  std::vector<EngineNetworks> engines_;
  References references_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_MODEL_LOADED_MODEL_H_
