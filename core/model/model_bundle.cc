#include "core/model/model_bundle.h"

#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/verified_file.h"
#include "core/plan/plans_json.h"

namespace nnseg {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxJsonBytes = std::size_t{16} << 20;

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
  if (manifest.patch_size != plan.patch_size) {
    return Contradiction("patch_size", ToString(manifest.patch_size), ToString(plan.patch_size));
  }
  if (manifest.input_channels != static_cast<int64_t>(plan.channels.size())) {
    return Contradiction("network_input_channels", absl::StrCat(manifest.input_channels),
                         absl::StrCat(plan.channels.size()));
  }
  if (manifest.output_channels != plan.labels.output_channels()) {
    return Contradiction("network_output_channels", absl::StrCat(manifest.output_channels),
                         absl::StrCat(plan.labels.output_channels()));
  }
  return absl::OkStatus();
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

  // The plan is read from the very bytes that were hashed.
  NNSEG_ASSIGN_OR_RETURN(const std::string plans_json,
                         ReadVerified(folder, bundle.manifest, "plans.json"));
  NNSEG_ASSIGN_OR_RETURN(const std::string dataset_json,
                         ReadVerified(folder, bundle.manifest, "dataset.json"));
  NNSEG_ASSIGN_OR_RETURN(
      bundle.plan, ParseSegmentationPlan(plans_json, dataset_json, bundle.manifest.configuration));
  NNSEG_RETURN_IF_ERROR(CheckAgreement(bundle.manifest, bundle.plan));

  for (const auto& [name, file] : bundle.manifest.files) {
    NNSEG_RETURN_IF_ERROR(VerifyFile(folder / name, file));
  }
  return bundle;
}

}  // namespace nnseg
