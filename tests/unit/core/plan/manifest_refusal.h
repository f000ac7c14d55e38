#ifndef NNSEG_TESTS_UNIT_CORE_PLAN_MANIFEST_REFUSAL_H_
#define NNSEG_TESTS_UNIT_CORE_PLAN_MANIFEST_REFUSAL_H_

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "core/plan/bundle_manifest.h"
#include "gmock/gmock.h"
#include "tests/support/status_matchers.h"

namespace nnseg {

/// One defect of an otherwise good manifest.json, and how it is refused.
struct ManifestRefusal {
  std::string name;
  std::string pointer;  ///< what is replaced
  nlohmann::ordered_json value;
  absl::StatusCode code;
  std::string text;  ///< of the message, after the file's name
};

inline void PrintTo(const ManifestRefusal& refusal, std::ostream* out) { *out << refusal.name; }

inline void ExpectRefused(nlohmann::ordered_json manifest, const ManifestRefusal& refusal) {
  manifest[nlohmann::ordered_json::json_pointer(refusal.pointer)] = refusal.value;
  EXPECT_THAT(ParseBundleManifest(manifest.dump()),
              StatusIs(refusal.code, testing::HasSubstr("manifest.json: " + refusal.text)));
}

}  // namespace nnseg

#endif  // NNSEG_TESTS_UNIT_CORE_PLAN_MANIFEST_REFUSAL_H_
