#ifndef NNSEG_CORE_MODEL_LOADED_MODEL_H_
#define NNSEG_CORE_MODEL_LOADED_MODEL_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/inference/patch_network.h"
#include "core/inference/tile_scheduler.h"
#include "core/model/model_bundle.h"
#include "core/model/network_set.h"

namespace nnseg {

/// A bundle with all folds resident and warm. Immutable but for the networks' insides, which only
/// the schedulers' threads touch; requests share it as shared_ptr<const LoadedModel>. An ensemble
/// has members instead of networks; a cascade holds its previous stage as well.
class LoadedModel {
 public:
  /// The models that a bundle refers to, resident.
  struct References {
    std::vector<std::shared_ptr<const LoadedModel>> members;  ///< in the manifest's order
    std::shared_ptr<const LoadedModel> previous_stage;
  };

  /// Makes all networks resident as LoadNetworks does, with its errors; INVALID_ARGUMENT when the
  /// members or the previous stage do not fit together (label sets, channels, reader), naming what
  /// differs.
  static absl::StatusOr<std::shared_ptr<const LoadedModel>> Load(
      ModelBundle bundle, const Engines& engines, References references = {},
      const SecondsClock& clock = SteadySeconds);

  const ModelBundle& bundle() const { return bundle_; }
  /// Empty for an ensemble.
  const NetworkSet& networks() const { return networks_; }
  /// Of an ensemble; else empty.
  const std::vector<std::shared_ptr<const LoadedModel>>& members() const {
    return references_.members;
  }
  /// Of a cascade that names one; else null: then each case must bring the previous stage's labels.
  const std::shared_ptr<const LoadedModel>& previous_stage() const {
    return references_.previous_stage;
  }

  /// The networks for a request. `engine`: "" or "auto" (the host's preference) or an engine's
  /// name; `precision`: as ChoosePrecision takes it; `folds`: names, empty for all.
  /// INVALID_ARGUMENT names what exists, and why not, when something asked for does not. REQUIRES:
  /// no ensemble.
  struct Selection {
    std::vector<PatchNetwork*> networks;
    std::vector<std::string> folds;
    TileScheduler* scheduler = nullptr;
  };
  absl::StatusOr<Selection> Select(const std::string& engine, const std::string& precision,
                                   const std::vector<std::string>& folds) const;

 private:
  explicit LoadedModel(ModelBundle bundle) : bundle_(std::move(bundle)) {}

  ModelBundle bundle_;
  NetworkSet networks_;
  References references_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_MODEL_LOADED_MODEL_H_
