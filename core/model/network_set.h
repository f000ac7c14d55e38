#ifndef NNSEG_CORE_MODEL_NETWORK_SET_H_
#define NNSEG_CORE_MODEL_NETWORK_SET_H_

#include <functional>
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
  /// Precisions to keep in memory beside fp32; empty: all that a model offers and the device has.
  std::vector<std::string> precisions = {};
};

/// The engines of this host in order of preference: `auto` takes the first that a model has files
/// for.
using Engines = std::vector<Engine>;

/// The networks of one engine in one precision, resident and warm.
struct EngineNetworks {
  Engine engine;
  std::string precision;     ///< "fp32", "bf16", "int8", "int8_bf16", "fp16"
  double relative_time = 1;  ///< of one pass, against fp32 of the same engine on this host
  std::vector<std::unique_ptr<PatchNetwork>> folds;  ///< in the manifest's order
};

/// A precision of an engine that the model could have, but does not offer here.
struct WithheldPrecision {
  std::string engine;
  std::string precision;
  std::string reason;
};

/// All networks of a model on this host.
struct NetworkSet {
  std::vector<EngineNetworks> offered;  ///< by preference of the engines; of each, fp32 first
  std::vector<WithheldPrecision> withheld;
};

/// Seconds since some moment.
using SecondsClock = std::function<double()>;
double SteadySeconds();

/// Loads every fold for every engine that the bundle has files for: in fp32, and in each precision
/// that passed its gate, that the host keeps and that the device has. Runs each network once on the
/// device's thread, so that lazy allocations and kernel choices are behind us, and then measures
/// the relative times: those that an exporter found hold for its processor only.
/// FAILED_PRECONDITION when no engine of this host can run the bundle.
absl::StatusOr<NetworkSet> LoadNetworks(const ModelBundle& bundle, const Engines& engines,
                                        const SecondsClock& clock = SteadySeconds);

}  // namespace nnseg

#endif  // NNSEG_CORE_MODEL_NETWORK_SET_H_
