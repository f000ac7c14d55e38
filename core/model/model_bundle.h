#ifndef NNSEG_CORE_MODEL_MODEL_BUNDLE_H_
#define NNSEG_CORE_MODEL_MODEL_BUNDLE_H_

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "core/plan/bundle_manifest.h"
#include "core/plan/postprocessing_rules.h"
#include "core/plan/segmentation_plan.h"

namespace nnseg {

/// A model version on disk, verified: manifest, plan, and every listed file's size and SHA-256.
struct ModelBundle {
  std::filesystem::path folder;
  BundleManifest manifest;
  /// An ensemble has its channels' names and labels only; LoadedModel makes it that of the first
  /// member.
  SegmentationPlan plan;
  PostprocessingRules postprocessing;  ///< postprocessing.json; empty: none
  std::string digest;  ///< SHA-256 of manifest.json, which names the hashes of all other files
};

/// Reads and verifies `folder`. NOT_FOUND, INVALID_ARGUMENT or DATA_LOSS (hash or size), naming the
/// file and key by base name; UNIMPLEMENTED for models that this version does not serve. Extra
/// files and links are refused.
absl::StatusOr<ModelBundle> ReadModelBundle(const std::filesystem::path& folder);

}  // namespace nnseg

#endif  // NNSEG_CORE_MODEL_MODEL_BUNDLE_H_
