#include "core/plan/precision_json.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/plan/spelling.h"

namespace nnseg {
namespace {

constexpr int64_t kMaxVolumes = 1000000;
constexpr double kMaxRelativeTime = 1000;

constexpr Spelling<const char*> kPrecisions[] = {
    {"bf16", "bf16"}, {"int8", "int8"}, {"int8_bf16", "int8_bf16"}};
constexpr Spelling<const char*> kPolicies[] = {{"fp32", "fp32"},   {"auto", "auto"},
                                               {"exact", "exact"}, {"bf16", "bf16"},
                                               {"int8", "int8"},   {"int8_bf16", "int8_bf16"}};

absl::StatusOr<double> GetNumber(const JsonNode& node, absl::string_view key, double low,
                                 double high) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode member, node.Get(key));
  NNSEG_ASSIGN_OR_RETURN(const double value, member.AsNumber());
  if (value < low || value > high) {
    return member.Invalid(absl::StrCat("a number in [", low, ", ", high, "]"));
  }
  return value;
}

absl::Status ParseFigures(const JsonNode& node, PrecisionRecord& record) {
  NNSEG_ASSIGN_OR_RETURN(record.dice, GetNumber(node, "dice", 0, 1));
  NNSEG_ASSIGN_OR_RETURN(record.dice_limit, GetNumber(node, "dice_limit", 0, 1));
  NNSEG_ASSIGN_OR_RETURN(record.equal_fraction, GetNumber(node, "equal_fraction", 0, 1));
  NNSEG_ASSIGN_OR_RETURN(record.equal_fraction_limit,
                         GetNumber(node, "equal_fraction_limit", 0, 1));
  NNSEG_ASSIGN_OR_RETURN(const int64_t volumes, node.GetInt("volumes", 0, kMaxVolumes));
  record.volumes = static_cast<int>(volumes);
  NNSEG_ASSIGN_OR_RETURN(record.relative_time,
                         GetNumber(node, "relative_time", 0, kMaxRelativeTime));
  NNSEG_ASSIGN_OR_RETURN(record.recipe, node.GetString("recipe"));
  return absl::OkStatus();
}

absl::Status ParseGate(const JsonNode& node, PrecisionRecord& record) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode passed, node.Get("passed"));
  NNSEG_ASSIGN_OR_RETURN(record.passed, passed.AsBool());
  const bool reached = record.volumes > 0 && record.relative_time > 0 &&
                       record.dice >= record.dice_limit &&
                       record.equal_fraction >= record.equal_fraction_limit;
  if (record.passed && !reached) {
    return passed.Invalid(absl::StrCat(
        "false: Dice is ", record.dice, ", its limit ", record.dice_limit, ", equal voxels are ",
        record.equal_fraction, ", their limit ", record.equal_fraction_limit, ", on ",
        record.volumes, " volumes at ", record.relative_time, " of the time"));
  }
  return absl::OkStatus();
}

absl::Status ParseNetworks(const JsonNode& node, const BundleManifest& manifest,
                           PrecisionRecord& record) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode networks, node.Get("networks"));
  NNSEG_ASSIGN_OR_RETURN(const auto entries, networks.Members());
  if (!record.passed) {
    return entries.empty() ? absl::OkStatus() : networks.Invalid("none: it has not passed");
  }
  for (const std::string& fold : manifest.folds) {
    NNSEG_ASSIGN_OR_RETURN(const JsonNode entry, networks.Get(fold));
    NNSEG_ASSIGN_OR_RETURN(std::string file, entry.AsString());
    if (manifest.files.count(file) == 0) return entry.Invalid("a file listed under files");
    record.networks.emplace(fold, std::move(file));
  }
  if (entries.size() != record.networks.size()) {
    return networks.Invalid("the folds listed under folds");
  }
  return absl::OkStatus();
}

absl::StatusOr<PrecisionRecord> ParseRecord(const JsonNode& node, const BundleManifest& manifest) {
  PrecisionRecord record;
  NNSEG_ASSIGN_OR_RETURN(const JsonNode engine, node.Get("engine"));
  NNSEG_ASSIGN_OR_RETURN(record.engine, engine.AsString());
  if (manifest.engines.count(record.engine) == 0) {
    return engine.Invalid("an engine listed under engines");
  }
  NNSEG_ASSIGN_OR_RETURN(const JsonNode precision, node.Get("precision"));
  NNSEG_ASSIGN_OR_RETURN(record.precision, Lookup(precision, kPrecisions));
  NNSEG_RETURN_IF_ERROR(ParseFigures(node, record));
  NNSEG_RETURN_IF_ERROR(ParseGate(node, record));
  NNSEG_RETURN_IF_ERROR(ParseNetworks(node, manifest, record));
  return record;
}

}  // namespace

absl::Status ParsePrecisions(const JsonNode& root, BundleManifest& manifest) {
  const std::optional<JsonNode> precisions = root.Find("precisions");
  if (!precisions) return absl::OkStatus();
  NNSEG_ASSIGN_OR_RETURN(const std::vector<JsonNode> elements, precisions->Elements());
  for (const JsonNode& element : elements) {
    NNSEG_ASSIGN_OR_RETURN(PrecisionRecord record, ParseRecord(element, manifest));
    if (std::any_of(manifest.precisions.begin(), manifest.precisions.end(), [&](const auto& known) {
          return known.engine == record.engine && known.precision == record.precision;
        })) {
      return element.Invalid("an engine and precision that differ from the other records'");
    }
    manifest.precisions.push_back(std::move(record));
  }
  return absl::OkStatus();
}

absl::Status ParsePrecisionPolicy(const JsonNode& root, BundleManifest& manifest) {
  const std::optional<JsonNode> policy = root.Find("precision_policy");
  if (!policy) return absl::OkStatus();
  NNSEG_ASSIGN_OR_RETURN(manifest.precision_policy, Lookup(*policy, kPolicies));
  const bool needs_gate = std::any_of(
      std::begin(kPrecisions), std::end(kPrecisions),
      [&](const auto& precision) { return precision.name == manifest.precision_policy; });
  if (!needs_gate || manifest.is_ensemble()) return absl::OkStatus();
  const bool passed = std::any_of(
      manifest.precisions.begin(), manifest.precisions.end(), [&](const PrecisionRecord& record) {
        return record.passed && record.precision == manifest.precision_policy;
      });
  return passed ? absl::OkStatus() : policy->Invalid("a precision that passed its gate");
}

}  // namespace nnseg
