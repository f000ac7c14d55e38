#include "core/model/model_bundle.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/verified_file.h"
#include "core/plan/dataset_json.h"
#include "core/plan/plans_json.h"

namespace nnseg {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxJsonBytes = std::size_t{16} << 20;
constexpr char kRulesFile[] = "postprocessing.json";

/// Every entry of the folder must be a file that the manifest lists, or the manifest itself.
absl::Status CheckNothingElse(const fs::path& folder, const BundleManifest& manifest) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name != "manifest.json" && manifest.files.count(name) == 0) {
      return absl::InvalidArgumentError(absl::StrCat(name, " is not listed in manifest.json"));
    }
  }
  if (error) return absl::UnavailableError("the bundle's folder cannot be read");
  return absl::OkStatus();
}

/// REQUIRES: the manifest lists `name`.
absl::StatusOr<std::string> ReadVerified(const fs::path& folder, const BundleManifest& manifest,
                                         const std::string& name) {
  NNSEG_ASSIGN_OR_RETURN(std::string content, ReadSmallFile(folder / name, kMaxJsonBytes));
  NNSEG_RETURN_IF_ERROR(VerifyContent(name, content, manifest.files.at(name)));
  return content;
}

absl::Status Contradiction(absl::string_view key, absl::string_view in_manifest,
                           absl::string_view in_plan) {
  return absl::InvalidArgumentError(absl::StrCat("manifest.json: ", key, " is ", in_manifest,
                                                 ", expected ", in_plan,
                                                 " by plans.json and dataset.json"));
}

absl::Status CheckAgreement(const BundleManifest& manifest, const SegmentationPlan& plan) {
  if (manifest.patch_dimensions != plan.patch_dimensions) {
    return Contradiction("patch_size", absl::StrCat("one of ", manifest.patch_dimensions, "D"),
                         absl::StrCat(plan.patch_dimensions, "D"));
  }
  if (manifest.patch_size != plan.patch_size) {
    return Contradiction("patch_size", ToString(manifest.patch_size), ToString(plan.patch_size));
  }
  const std::size_t previous_channels =
      plan.is_cascade() ? plan.labels.foreground_labels().size() : 0;
  const auto input_channels = static_cast<int64_t>(plan.channels.size() + previous_channels);
  if (manifest.input_channels != input_channels) {
    return Contradiction("network_input_channels", absl::StrCat(manifest.input_channels),
                         absl::StrCat(input_channels));
  }
  if (manifest.output_channels != plan.labels.output_channels()) {
    return Contradiction("network_output_channels", absl::StrCat(manifest.output_channels),
                         absl::StrCat(plan.labels.output_channels()));
  }
  if (manifest.previous_stage && !plan.is_cascade()) {
    return Contradiction("previous_stage", absl::StrCat("'", manifest.previous_stage->name, "'"),
                         "none");
  }
  return absl::OkStatus();
}

/// Labels and channels; all else comes from the members when they are loaded.
absl::StatusOr<SegmentationPlan> EnsemblePlan(const std::string& dataset_json) {
  NNSEG_ASSIGN_OR_RETURN(Dataset dataset, ParseDataset(dataset_json));
  SegmentationPlan plan;
  for (std::string& name : dataset.channel_names) plan.channels.push_back({std::move(name)});
  plan.labels = std::move(dataset.labels);
  return plan;
}

/// The plan is read from the very bytes that were hashed.
absl::StatusOr<SegmentationPlan> ReadPlan(const fs::path& folder, const BundleManifest& manifest) {
  NNSEG_ASSIGN_OR_RETURN(const std::string dataset_json,
                         ReadVerified(folder, manifest, "dataset.json"));
  if (manifest.is_ensemble()) return EnsemblePlan(dataset_json);
  NNSEG_ASSIGN_OR_RETURN(const std::string plans_json,
                         ReadVerified(folder, manifest, "plans.json"));
  NNSEG_ASSIGN_OR_RETURN(SegmentationPlan plan,
                         ParseSegmentationPlan(plans_json, dataset_json, manifest.configuration));
  NNSEG_RETURN_IF_ERROR(CheckAgreement(manifest, plan));
  return plan;
}

/// Every label that the rules name must be one of dataset.json.
absl::Status CheckRules(const PostprocessingRules& rules, const LabelTable& labels) {
  const auto highest = static_cast<int>(labels.foreground_labels().size());
  for (const LargestComponentRule& rule : rules) {
    const int label = std::max(rule.labels.back(), rule.background);
    if (label > highest) {
      return absl::InvalidArgumentError(absl::StrCat("postprocessing.json: names the label ", label,
                                                     ", expected at most ", highest,
                                                     " by dataset.json"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<PostprocessingRules> ReadRules(const fs::path& folder,
                                              const BundleManifest& manifest,
                                              const LabelTable& labels) {
  if (manifest.files.count(kRulesFile) == 0) return PostprocessingRules();
  NNSEG_ASSIGN_OR_RETURN(const std::string json, ReadVerified(folder, manifest, kRulesFile));
  NNSEG_ASSIGN_OR_RETURN(PostprocessingRules rules, ParsePostprocessingRules(json));
  NNSEG_RETURN_IF_ERROR(CheckRules(rules, labels));
  return rules;
}

}  // namespace

absl::StatusOr<ModelBundle> ReadModelBundle(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return absl::NotFoundError("the bundle is no folder");
  ModelBundle bundle;
  bundle.folder = folder;
  NNSEG_ASSIGN_OR_RETURN(const std::string manifest_json,
                         ReadSmallFile(folder / "manifest.json", kMaxJsonBytes));
  bundle.digest = Sha256(manifest_json);
  NNSEG_ASSIGN_OR_RETURN(bundle.manifest, ParseBundleManifest(manifest_json));
  NNSEG_RETURN_IF_ERROR(CheckNothingElse(folder, bundle.manifest));

  NNSEG_ASSIGN_OR_RETURN(bundle.plan, ReadPlan(folder, bundle.manifest));
  NNSEG_ASSIGN_OR_RETURN(bundle.postprocessing,
                         ReadRules(folder, bundle.manifest, bundle.plan.labels));
  for (const auto& [name, file] : bundle.manifest.files) {
    NNSEG_RETURN_IF_ERROR(VerifyFile(folder / name, file));
  }
  return bundle;
}

}  // namespace nnseg
