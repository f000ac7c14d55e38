#ifndef NNSEG_CORE_PLAN_BUNDLE_MANIFEST_H_
#define NNSEG_CORE_PLAN_BUNDLE_MANIFEST_H_

#include <cstdint>
#include <map>
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

/// manifest.json, format version 1, as nnseg-export writes it.
struct BundleManifest {
  std::string name;
  int version = 0;
  std::string created;  ///< RFC 3339
  std::string intended_use;
  std::string dataset_name, trainer, plans_name, configuration, checkpoint;
  std::vector<std::string> folds;   ///< "0", "1", "all", in the order of averaging
  std::vector<int> mirroring_axes;  ///< patch axes that training allowed to mirror; may be empty
  int64_t input_channels = 0;
  int64_t output_channels = 0;
  Shape3 patch_size{};
  /// Engine name to fold name to file name.
  std::map<std::string, std::map<std::string, std::string>> engines;
  std::map<std::string, BundleFile> files;  ///< every file but manifest.json
  int64_t weight_bytes = 0;                 ///< of one fold
  int64_t activation_bytes = 0;             ///< of one forward pass
};

/// Errors name the key. INVALID_ARGUMENT when something is missing or inconsistent, UNIMPLEMENTED
/// for another format version. File names with a slash or a leading dot are refused.
absl::StatusOr<BundleManifest> ParseBundleManifest(const std::string& json);

}  // namespace nnseg

#endif  // NNSEG_CORE_PLAN_BUNDLE_MANIFEST_H_
