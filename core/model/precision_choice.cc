#include "core/model/precision_choice.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/model/shown_text.h"

namespace nnseg {
namespace {

constexpr char kExact[] = "exact";
constexpr char kAuto[] = "auto";
constexpr char kFp32[] = "fp32";
constexpr char kFp16[] = "fp16";

bool IsOpen(const std::string& engine) { return engine.empty() || engine == kAuto; }

bool IsOf(const EngineNetworks& networks, const std::string& engine) {
  return IsOpen(engine) || networks.engine.loader->engine() == engine;
}

bool IsExact(const EngineNetworks& networks) {
  const NetworkLoader& loader = *networks.engine.loader;
  return loader.engine() == "torch" && loader.device() == "cpu" && networks.precision == kFp32;
}

bool Has(const EngineNetworks& networks, const std::string& precision) {
  return precision == kExact ? IsExact(networks) : networks.precision == precision;
}

/// The preferred networks of the engine in this precision; null when there are none.
const EngineNetworks* Find(const NetworkSet& set, const std::string& engine,
                           const std::string& precision) {
  const auto found =
      std::find_if(set.offered.begin(), set.offered.end(), [&](const EngineNetworks& networks) {
        return IsOf(networks, engine) && Has(networks, precision);
      });
  return found == set.offered.end() ? nullptr : &*found;
}

void AppendOnce(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

absl::Status CheckEngine(const NetworkSet& set, const std::string& engine) {
  std::vector<std::string> names{kAuto};
  for (const EngineNetworks& networks : set.offered) {
    if (IsOf(networks, engine)) return absl::OkStatus();
    AppendOnce(names, networks.engine.loader->engine());
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "engine is '", ShownText(engine), "', expected one of: ", absl::StrJoin(names, ", ")));
}

/// Why the model does not offer it.
std::string Reasons(const NetworkSet& set, const std::string& engine,
                    const std::string& precision) {
  if (precision == kExact) return "exact is torch in fp32 on the CPU";
  std::vector<std::string> reasons;
  for (const WithheldPrecision& withheld : set.withheld) {
    if (withheld.precision == precision && (IsOpen(engine) || withheld.engine == engine)) {
      reasons.push_back(absl::StrCat(precision, " on ", withheld.engine, ": ", withheld.reason));
    }
  }
  return reasons.empty() ? "the model has no such networks" : absl::StrJoin(reasons, "; ");
}

absl::Status NotOffered(const LoadedModel& model, const std::string& engine,
                        const std::string& precision) {
  const BundleManifest& manifest = model.bundle().manifest;
  std::vector<std::string> names{kAuto};
  for (const EngineNetworks& networks : model.networks().offered) {
    if (!IsOf(networks, engine)) continue;
    if (IsExact(networks)) AppendOnce(names, kExact);
    AppendOnce(names, networks.precision);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("precision is '", ShownText(precision), "', but model '",
                   absl::CHexEscape(manifest.name), "' version ", manifest.version, " offers ",
                   absl::StrJoin(names, ", "), IsOpen(engine) ? "" : absl::StrCat(" on ", engine),
                   " (", Reasons(model.networks(), engine, precision), ")"));
}

/// The first of the runs that does not offer the precision; null when all do.
const LoadedModel* FirstWithout(const std::vector<const LoadedModel*>& runs,
                                const std::string& engine, const std::string& precision) {
  const auto found = std::find_if(runs.begin(), runs.end(), [&](const LoadedModel* run) {
    return Find(run->networks(), engine, precision) == nullptr;
  });
  return found == runs.end() ? nullptr : *found;
}

/// As EngineNetworks has it, the least on the preferred engine's device; infinite when no
/// networks there have the precision. Times on two devices do not compare.
double RelativeTime(const NetworkSet& set, const std::string& engine,
                    const std::string& precision) {
  const std::string device = Find(set, engine, kFp32)->engine.loader->device();
  double time = std::numeric_limits<double>::infinity();
  for (const EngineNetworks& networks : set.offered) {
    if (IsOf(networks, engine) && networks.precision == precision &&
        networks.engine.loader->device() == device) {
      time = std::min(time, networks.relative_time);
    }
  }
  return time;
}

/// Of one pass of each run.
double RelativeTime(const std::vector<const LoadedModel*>& runs, const std::string& engine,
                    const std::string& precision) {
  double time = 0;
  for (const LoadedModel* run : runs) time += RelativeTime(run->networks(), engine, precision);
  return time;
}

std::string Fastest(const std::vector<const LoadedModel*>& runs, const std::string& engine) {
  std::string fastest = kFp32;
  double least = RelativeTime(runs, engine, kFp32);
  for (const EngineNetworks& candidate : runs.front()->networks().offered) {
    const double time = RelativeTime(runs, engine, candidate.precision);
    if (time < least) {
      least = time;
      fastest = candidate.precision;
    }
  }
  return fastest;
}

}  // namespace

absl::StatusOr<std::string> ChoosePrecision(const std::vector<const LoadedModel*>& runs,
                                            const std::string& policy, const std::string& engine,
                                            const std::string& wish) {
  for (const LoadedModel* run : runs) {
    NNSEG_RETURN_IF_ERROR(CheckEngine(run->networks(), engine));
  }
  const std::string& wanted = wish.empty() ? policy : wish;
  if (wanted == kAuto) return Fastest(runs, engine);
  if (wanted.empty()) return std::isfinite(RelativeTime(runs, engine, kFp16)) ? kFp16 : kFp32;
  const LoadedModel* without = FirstWithout(runs, engine, wanted);
  if (without == nullptr) return wanted;
  const bool gives_way = wish.empty() && (policy != kExact || !IsOpen(engine));
  if (gives_way) return kFp32;
  return NotOffered(*without, engine, wanted);
}

absl::StatusOr<const EngineNetworks*> FindNetworks(const LoadedModel& model,
                                                   const std::string& engine,
                                                   const std::string& precision) {
  NNSEG_RETURN_IF_ERROR(CheckEngine(model.networks(), engine));
  const EngineNetworks* networks = Find(model.networks(), engine, precision);
  if (networks == nullptr) return NotOffered(model, engine, precision);
  return networks;
}

}  // namespace nnseg
