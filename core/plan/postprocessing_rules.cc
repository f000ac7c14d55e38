#include "core/plan/postprocessing_rules.h"

#include <algorithm>
#include <cstdint>

#include "core/base/status_macros.h"
#include "core/plan/json_node.h"
#include "core/plan/spelling.h"

namespace nnseg {
namespace {

constexpr int64_t kMaxLabel = 65535;  // label maps are uint16 at most

constexpr Spelling<bool> kFunctions[] = {
    {"remove_all_but_largest_component_from_segmentation", true}};

/// Appends the labels of a label, a region or any nesting of such: all mean the union. The depth of
/// a JsonNode is limited.
absl::Status AppendLabels(const JsonNode& node, std::vector<int>& labels) {
  if (!node.is_array()) {
    NNSEG_ASSIGN_OR_RETURN(const int64_t label, node.AsInt(1, kMaxLabel));
    labels.push_back(static_cast<int>(label));
    return absl::OkStatus();
  }
  NNSEG_ASSIGN_OR_RETURN(const std::vector<JsonNode> elements, node.Elements());
  for (const JsonNode& element : elements) NNSEG_RETURN_IF_ERROR(AppendLabels(element, labels));
  return absl::OkStatus();
}

absl::StatusOr<LargestComponentRule> ParseRule(const JsonNode& arguments) {
  LargestComponentRule rule;
  NNSEG_ASSIGN_OR_RETURN(const auto members, arguments.Members());
  for (const auto& [name, value] : members) {
    if (name == "background_label") {
      NNSEG_ASSIGN_OR_RETURN(const int64_t background, value.AsInt(0, kMaxLabel));
      rule.background = static_cast<int>(background);
    } else if (name != "labels_or_regions") {
      return value.Invalid("no such argument of the function");
    }
  }
  NNSEG_ASSIGN_OR_RETURN(const JsonNode labels, arguments.Get("labels_or_regions"));
  NNSEG_RETURN_IF_ERROR(AppendLabels(labels, rule.labels));
  if (rule.labels.empty()) return labels.Invalid("at least one label");
  std::sort(rule.labels.begin(), rule.labels.end());
  rule.labels.erase(std::unique(rule.labels.begin(), rule.labels.end()), rule.labels.end());
  return rule;
}

}  // namespace

absl::StatusOr<PostprocessingRules> ParsePostprocessingRules(const std::string& json) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode root, JsonNode::Parse(json, "postprocessing.json"));
  NNSEG_ASSIGN_OR_RETURN(const JsonNode functions_node, root.Get("postprocessing_fns"));
  NNSEG_ASSIGN_OR_RETURN(const auto functions, functions_node.Elements());
  NNSEG_ASSIGN_OR_RETURN(const JsonNode arguments_node, root.Get("postprocessing_kwargs"));
  NNSEG_ASSIGN_OR_RETURN(const auto arguments, arguments_node.Elements(functions.size()));
  PostprocessingRules rules;
  for (std::size_t i = 0; i < functions.size(); ++i) {
    NNSEG_RETURN_IF_ERROR(Lookup(functions[i], kFunctions).status());
    NNSEG_ASSIGN_OR_RETURN(LargestComponentRule rule, ParseRule(arguments[i]));
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace nnseg
