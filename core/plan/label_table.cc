#include "core/plan/label_table.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace nnseg {
namespace {

constexpr int kMaxLabel = 65535;  // label maps are uint16 at most

bool IsIgnore(const LabelEntry& entry) { return entry.name == "ignore"; }

bool IsOnlyBackground(const LabelEntry& entry) {
  return std::all_of(entry.values.begin(), entry.values.end(), [](int v) { return v == 0; });
}

absl::Status CheckValues(const LabelEntry& entry) {
  if (entry.values.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("label '", entry.name, "' has no value"));
  }
  for (int value : entry.values) {
    if (value < 0 || value > kMaxLabel) {
      return absl::InvalidArgumentError(absl::StrCat("label '", entry.name, "' is ", value,
                                                     ", expected a value in [0, ", kMaxLabel, "]"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LabelTable> LabelTable::Create(std::vector<LabelEntry> entries,
                                              std::optional<std::vector<int>> regions_class_order) {
  LabelTable table;
  std::set<int> labels;
  std::size_t regions = 0;
  std::optional<int> ignore;
  bool has_background = false;
  for (const LabelEntry& entry : entries) {
    if (absl::Status status = CheckValues(entry); !status.ok()) return status;
    if (IsIgnore(entry)) {
      if (entry.values.size() != 1) {
        return absl::InvalidArgumentError("label 'ignore' is a region, expected one value");
      }
      ignore = entry.values[0];
      continue;
    }
    has_background |= entry.name == "background" && entry.values == std::vector<int>{0};
    table.has_regions_ |= entry.values.size() > 1;
    regions += IsOnlyBackground(entry) ? 0 : 1;
    labels.insert(entry.values.begin(), entry.values.end());
  }
  if (!has_background) return absl::InvalidArgumentError("there is no label 'background' = 0");
  const int highest = *labels.rbegin();
  if (ignore && *ignore != highest + 1) {
    return absl::InvalidArgumentError(absl::StrCat("label 'ignore' is ", *ignore, ", expected ",
                                                   highest + 1, ", the highest label + 1"));
  }
  if (highest + 1 != static_cast<int>(labels.size())) {
    return absl::InvalidArgumentError(absl::StrCat("the ", labels.size(), " labels go up to ",
                                                   highest, ", expected 0, 1, ... without a gap"));
  }
  if (table.has_regions_) {
    if (!regions_class_order) {
      return absl::InvalidArgumentError("there are regions, but no regions_class_order");
    }
    if (regions_class_order->size() != regions) {
      return absl::InvalidArgumentError(
          absl::StrCat("regions_class_order has ", regions_class_order->size(),
                       " entries, expected ", regions, ", one for each region"));
    }
    table.regions_class_order_ = *std::move(regions_class_order);
  }
  table.output_channels_ = static_cast<int64_t>(table.has_regions_ ? regions : labels.size());
  table.foreground_labels_.assign(std::next(labels.begin()), labels.end());
  table.entries_ = std::move(entries);
  return table;
}

}  // namespace nnseg
