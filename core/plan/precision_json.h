#ifndef NNSEG_CORE_PLAN_PRECISION_JSON_H_
#define NNSEG_CORE_PLAN_PRECISION_JSON_H_

#include "absl/status/status.h"
#include "core/plan/bundle_manifest.h"
#include "core/plan/json_node.h"

namespace nnseg {

/// Part of the implementation of core/plan: include it in its .cc files only.
///
/// The manifest's "precisions", if there are any. INVALID_ARGUMENT also for a record that says that
/// it passed while its figures are below their limits, and for networks of one that did not pass.
/// REQUIRES: folds, files and engines are parsed.
absl::Status ParsePrecisions(const JsonNode& root, BundleManifest& manifest);

/// The manifest's "precision_policy", if there is one. REQUIRES: all else is parsed.
absl::Status ParsePrecisionPolicy(const JsonNode& root, BundleManifest& manifest);

}  // namespace nnseg

#endif  // NNSEG_CORE_PLAN_PRECISION_JSON_H_
