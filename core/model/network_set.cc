#include "core/model/network_set.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/base/stop_watch.h"

namespace nnseg {
namespace {

constexpr int kTimedPasses = 3;  // of which the shortest counts

PatchSignature SignatureOf(const BundleManifest& manifest) {
  return {.input_channels = manifest.input_channels,
          .output_channels = manifest.output_channels,
          .patch_size = manifest.patch_size,
          .patch_dimensions = manifest.patch_dimensions};
}

/// A forward pass over zeros.
class TrialPass {
 public:
  explicit TrialPass(const PatchSignature& signature)
      : input_(static_cast<std::size_t>(signature.input_size())),
        output_(static_cast<std::size_t>(signature.output_size())) {}

  absl::Status Run(PatchNetwork& network) { return network.Run(input_, output_); }
  /// The least of `seconds` and what the pass takes.
  absl::Status Time(PatchNetwork& network, const SecondsClock& clock, double& seconds) {
    const double begin = clock();
    NNSEG_RETURN_IF_ERROR(Run(network));
    seconds = std::min(seconds, clock() - begin);
    return absl::OkStatus();
  }

 private:
  const std::vector<float> input_;
  std::vector<float> output_;
};

std::string EngineNames(const std::map<std::string, std::map<std::string, std::string>>& engines) {
  return absl::StrJoin(engines, ", ", [](std::string* out, const auto& engine) {
    absl::StrAppend(out, engine.first);
  });
}

std::string WhyNotPassed(const PrecisionRecord& record) {
  return absl::StrCat("it did not pass its gate: Dice ", record.dice, " of ", record.dice_limit,
                      ", equal voxels ", record.equal_fraction, " of ",
                      record.equal_fraction_limit);
}

/// Fills the set for one engine.
class EngineLoading {
 public:
  EngineLoading(const ModelBundle& bundle, const Engine& engine, const SecondsClock& clock,
                NetworkSet& set)
      : bundle_(bundle),
        engine_(engine),
        name_(engine.loader->engine()),
        signature_(SignatureOf(bundle.manifest)),
        clock_(clock),
        set_(set) {}

  absl::Status LoadAll(const std::map<std::string, std::string>& files) {
    NNSEG_ASSIGN_OR_RETURN(EngineNetworks fp32, Load("fp32", files));
    std::vector<EngineNetworks> lower;
    // Whatever runs fp16 makes it from the fp32 files and tries it on the device.
    if (engine_.loader->Supports("fp16").ok()) {
      NNSEG_RETURN_IF_ERROR(LoadIfPossible("fp16", files, lower));
    }
    for (const PrecisionRecord& record : bundle_.manifest.precisions) {
      if (record.engine != name_) continue;
      if (!record.passed) {
        Withhold(record.precision, WhyNotPassed(record));
      } else {
        NNSEG_RETURN_IF_ERROR(LoadIfPossible(record.precision, record.networks, lower));
      }
    }
    for (EngineNetworks& networks : lower) NNSEG_RETURN_IF_ERROR(Compare(fp32, networks));
    set_.offered.push_back(std::move(fp32));
    std::move(lower.begin(), lower.end(), std::back_inserter(set_.offered));
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<EngineNetworks> Load(const std::string& precision,
                                      const std::map<std::string, std::string>& files) {
    EngineNetworks networks{engine_, precision, 1, {}};
    TrialPass pass(signature_);
    for (const std::string& fold : bundle_.manifest.folds) {
      const std::string file = (bundle_.folder / files.at(fold)).string();
      NNSEG_RETURN_IF_ERROR(engine_.scheduler->RunOnDevice([&]() -> absl::Status {
        NNSEG_ASSIGN_OR_RETURN(networks.folds.emplace_back(),
                               engine_.loader->Load(file, signature_, precision));
        PatchNetwork& network = *networks.folds.back();
        StopWatch watch;
        NNSEG_RETURN_IF_ERROR(pass.Run(network));
        network.record().Add(watch.Lap(), 1);  // a first idea, until cases have run
        return absl::OkStatus();
      }));
    }
    return networks;
  }

  absl::Status LoadIfPossible(const std::string& precision,
                              const std::map<std::string, std::string>& files,
                              std::vector<EngineNetworks>& loaded) {
    const std::vector<std::string>& kept = engine_.precisions;
    if (!kept.empty() && std::find(kept.begin(), kept.end(), precision) == kept.end()) {
      Withhold(precision, "the server's configuration leaves it out");
      return absl::OkStatus();
    }
    const absl::Status supported = engine_.loader->Supports(precision);
    absl::StatusOr<EngineNetworks> networks =
        supported.ok() ? Load(precision, files) : absl::StatusOr<EngineNetworks>(supported);
    if (absl::IsFailedPrecondition(networks.status())) {
      Withhold(precision, std::string(networks.status().message()));
      return absl::OkStatus();
    }
    NNSEG_RETURN_IF_ERROR(networks.status());
    loaded.push_back(*std::move(networks));
    return absl::OkStatus();
  }

  /// Passes of both in turn, so that other load on the host meets both.
  absl::Status Compare(const EngineNetworks& fp32, EngineNetworks& networks) {
    double reference = std::numeric_limits<double>::infinity();
    double seconds = reference;
    TrialPass pass(signature_);
    for (int i = 0; i < kTimedPasses; ++i) {
      NNSEG_RETURN_IF_ERROR(engine_.scheduler->RunOnDevice([&]() -> absl::Status {
        NNSEG_RETURN_IF_ERROR(pass.Time(*fp32.folds.front(), clock_, reference));
        return pass.Time(*networks.folds.front(), clock_, seconds);
      }));
    }
    networks.relative_time = seconds / reference;
    return absl::OkStatus();
  }

  void Withhold(const std::string& precision, std::string reason) {
    set_.withheld.push_back({name_, precision, std::move(reason)});
  }

  const ModelBundle& bundle_;
  const Engine& engine_;
  const std::string name_;
  const PatchSignature signature_;
  const SecondsClock& clock_;
  NetworkSet& set_;
};

}  // namespace

double SteadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

absl::StatusOr<NetworkSet> LoadNetworks(const ModelBundle& bundle, const Engines& engines,
                                        const SecondsClock& clock) {
  NetworkSet set;
  for (const Engine& engine : engines) {
    const auto files = bundle.manifest.engines.find(engine.loader->engine());
    if (files == bundle.manifest.engines.end()) continue;
    NNSEG_RETURN_IF_ERROR(EngineLoading(bundle, engine, clock, set).LoadAll(files->second));
  }
  if (set.offered.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("the bundle has files for ",
                                                      EngineNames(bundle.manifest.engines),
                                                      ", none of which this host offers"));
  }
  return set;
}

}  // namespace nnseg
