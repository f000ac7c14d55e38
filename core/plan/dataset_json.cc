#include "core/plan/dataset_json.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/plan/json_node.h"

namespace nnseg {
namespace {

absl::StatusOr<std::vector<std::string>> ParseChannelNames(const JsonNode& dataset) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode names,
                         dataset.Get(dataset.Find("modality") ? "modality" : "channel_names"));
  NNSEG_ASSIGN_OR_RETURN(const auto members, names.Members());
  if (members.empty()) return names.Invalid("at least one channel");
  std::vector<std::string> result;
  for (std::size_t c = 0; c < members.size(); ++c) {
    NNSEG_ASSIGN_OR_RETURN(std::string name, names.GetString(absl::StrCat(c)));
    result.push_back(std::move(name));
  }
  return result;
}

absl::StatusOr<std::vector<int>> ParseInts(const std::vector<JsonNode>& elements) {
  std::vector<int> values;
  for (const JsonNode& element : elements) {
    NNSEG_ASSIGN_OR_RETURN(const int64_t value, element.AsInt(0, 65535));
    values.push_back(static_cast<int>(value));
  }
  return values;
}

absl::StatusOr<LabelTable> ParseLabels(const JsonNode& dataset) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode labels, dataset.Get("labels"));
  NNSEG_ASSIGN_OR_RETURN(const auto members, labels.Members());
  std::vector<LabelEntry> entries;
  for (const auto& [name, value] : members) {
    // A list may hold one value only, but these two must be plain numbers.
    const bool is_plain = !value.is_array() || name == "background" || name == "ignore";
    std::vector<JsonNode> elements{value};
    if (!is_plain) {
      NNSEG_ASSIGN_OR_RETURN(elements, value.Elements());
    }
    NNSEG_ASSIGN_OR_RETURN(std::vector<int> values, ParseInts(elements));
    entries.push_back({name, std::move(values)});
  }
  std::optional<std::vector<int>> order;
  if (const auto node = dataset.Find("regions_class_order"); node && !node->is_null()) {
    NNSEG_ASSIGN_OR_RETURN(const std::vector<JsonNode> elements, node->Elements());
    NNSEG_ASSIGN_OR_RETURN(order, ParseInts(elements));
  }
  absl::StatusOr<LabelTable> table = LabelTable::Create(std::move(entries), std::move(order));
  if (!table.ok()) {
    return absl::Status(table.status().code(),
                        absl::StrCat(labels.where(), ": ", table.status().message()));
  }
  return table;
}

}  // namespace

absl::StatusOr<Dataset> ParseDataset(const std::string& dataset_json) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode root, JsonNode::Parse(dataset_json, "dataset.json"));
  Dataset dataset;
  NNSEG_ASSIGN_OR_RETURN(dataset.channel_names, ParseChannelNames(root));
  NNSEG_ASSIGN_OR_RETURN(dataset.labels, ParseLabels(root));
  return dataset;
}

}  // namespace nnseg
