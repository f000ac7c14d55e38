#ifndef NNSEG_CORE_PLAN_LABEL_TABLE_H_
#define NNSEG_CORE_PLAN_LABEL_TABLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/volume/label_map.h"

namespace nnseg {

/// One entry of dataset.json's "labels": a label (one value) or a region (several).
struct LabelEntry {
  std::string name;
  std::vector<int> values;
  bool operator==(const LabelEntry&) const = default;
};

/// What the network's output channels mean (nnU-Net 2.8.1, utilities/label_handling). Immutable.
class LabelTable {
 public:
  LabelTable() = default;

  /// `entries` in the order of dataset.json, "ignore" included. INVALID_ARGUMENT when there is no
  /// background 0 or the labels have a gap, when regions come without a regions_class_order of
  /// their number, or when "ignore" is not the largest label + 1.
  static absl::StatusOr<LabelTable> Create(std::vector<LabelEntry> entries,
                                           std::optional<std::vector<int>> regions_class_order);

  /// As in dataset.json, order kept.
  const std::vector<LabelEntry>& entries() const { return entries_; }
  bool has_regions() const { return has_regions_; }
  /// Ascending, background excluded; the ignore label is no foreground.
  const std::vector<int>& foreground_labels() const { return foreground_labels_; }
  /// Label painted by each region channel, in channel order; empty without regions.
  const std::vector<int>& regions_class_order() const { return regions_class_order_; }
  /// Channels of the network's output (K): the regions, or background and foreground labels.
  int64_t output_channels() const { return output_channels_; }
  LabelType label_type() const {
    return LabelTypeFor(static_cast<int64_t>(foreground_labels_.size()));
  }
  bool operator==(const LabelTable&) const = default;

 private:
  std::vector<LabelEntry> entries_;
  std::vector<int> foreground_labels_;
  std::vector<int> regions_class_order_;
  int64_t output_channels_ = 0;
  bool has_regions_ = false;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_PLAN_LABEL_TABLE_H_
