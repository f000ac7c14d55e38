#ifndef NNSEG_CORE_PLAN_BUNDLE_MANIFEST_H_
#define NNSEG_CORE_PLAN_BUNDLE_MANIFEST_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/geometry/index.h"

namespace nnseg {

/// A file of the bundle as its maker saw it.
struct BundleFile {
  std::string sha256;  ///< lower-case hexadecimal
  int64_t size = 0;    ///< bytes
};

/// Another model version of the same repository.
struct ModelReference {
  std::string name;
  int version = 0;  ///< at least 1
  bool operator==(const ModelReference&) const = default;
};

/// A precision below fp32 that was tried at export: its labels against those of fp32 on calibration
/// volumes held out. Only what reached the limits has networks.
struct PrecisionRecord {
  std::string engine;     ///< one of BundleManifest::engines
  std::string precision;  ///< "bf16", "int8" or "int8_bf16"
  bool passed = false;    ///< its gate
  /// Fold name to file name; empty unless passed. They may be the files of fp32.
  std::map<std::string, std::string> networks;
  double dice = 0;  ///< lowest of any label on any volume
  double dice_limit = 0;
  double equal_fraction = 0;  ///< lowest share of equal voxels on any volume
  double equal_fraction_limit = 0;
  int volumes = 0;           ///< that were compared
  double relative_time = 0;  ///< of one pass, against the engine's fp32 on the exporter's processor
  std::string recipe;        ///< how the network was made, in the exporter's words
};

/// manifest.json, format version 1, as nnseg-export writes it.
///
/// Two kinds of bundle: a model has networks; an ensemble has members instead (no folds, engines,
/// patch or channel counts of its own).
struct BundleManifest {
  std::string name;
  int version = 0;
  std::string created;  ///< RFC 3339
  std::string intended_use;
  std::string dataset_name, trainer, plans_name, configuration, checkpoint;
  std::vector<std::string> folds;   ///< "0", "1", "all", in the order of averaging
  std::vector<int> mirroring_axes;  ///< internal axes that training allowed to mirror; may be empty
  int64_t input_channels = 0;       ///< of the network: image channels and previous-stage channels
  int64_t output_channels = 0;
  int patch_dimensions = 3;  ///< as in SegmentationPlan
  Shape3 patch_size{};       ///< internal axes
  /// Ensemble: the models whose probabilities are averaged, in this order, at least 2.
  std::vector<ModelReference> members;
  /// Cascade: the model whose labels are this one's further input.
  std::optional<ModelReference> previous_stage;
  /// Engine name to fold name to file name.
  std::map<std::string, std::map<std::string, std::string>> engines;
  std::vector<PrecisionRecord> precisions;  ///< at most one for each engine and precision
  /// What requests get that leave the precision open: "fp32", "auto", "exact", "bf16", "int8" or
  /// "int8_bf16"; empty: what nnU-Net itself runs.
  std::string precision_policy;
  std::map<std::string, BundleFile> files;  ///< every file but manifest.json
  int64_t weight_bytes = 0;                 ///< of one fold
  int64_t activation_bytes = 0;             ///< of one forward pass

  bool is_ensemble() const { return !members.empty(); }
};

/// Errors name the key. INVALID_ARGUMENT when something is missing or inconsistent, UNIMPLEMENTED
/// for another format version. File names with a slash or a leading dot are refused.
absl::StatusOr<BundleManifest> ParseBundleManifest(const std::string& json);

}  // namespace nnseg

#endif  // NNSEG_CORE_PLAN_BUNDLE_MANIFEST_H_
