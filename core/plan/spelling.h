#ifndef NNSEG_CORE_PLAN_SPELLING_H_
#define NNSEG_CORE_PLAN_SPELLING_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "core/base/status_macros.h"
#include "core/plan/json_node.h"

namespace nnseg {

/// Part of the implementation of core/plan: include it in its .cc files only.
///
/// A named value of a closed set, as a document spells it.
template <typename T>
struct Spelling {
  absl::string_view name;
  T value;
};

/// The value that `node` names. nnU-Net finds most of these names in its own modules, so any may
/// exist somewhere: an unknown one is UNIMPLEMENTED.
template <typename T, std::size_t N>
absl::StatusOr<T> Lookup(const JsonNode& node, const Spelling<T> (&spellings)[N]) {
  NNSEG_ASSIGN_OR_RETURN(const std::string name, node.AsString());
  for (const Spelling<T>& spelling : spellings) {
    if (name == spelling.name) return spelling.value;
  }
  return node.Unsupported(absl::StrCat(
      N == 1 ? "" : "one of ",
      absl::StrJoin(spellings, ", ", [](std::string* out, const Spelling<T>& spelling) {
        absl::StrAppend(out, spelling.name);
      })));
}

}  // namespace nnseg

#endif  // NNSEG_CORE_PLAN_SPELLING_H_
