#include "client/compare/label_comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/compare/surface_distance.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

template <std::size_t n>
bool AllNear(const std::array<double, n>& a, const std::array<double, n>& b, double tolerance) {
  return std::equal(a.begin(), a.end(), b.begin(),
                    [&](double x, double y) { return std::abs(x - y) <= tolerance; });
}

absl::Status CheckSameGrid(const Geometry& a, const Geometry& b) {
  const auto differ = [](const char* what, const auto& first, const auto& second) {
    return absl::InvalidArgumentError(absl::StrCat("the maps lie on different grids: ", what, " ",
                                                   absl::StrJoin(first, ", "), " and ",
                                                   absl::StrJoin(second, ", ")));
  };
  if (a.size != b.size) return differ("size", a.size, b.size);
  for (int axis = 0; axis < 3; ++axis) {
    if (std::abs(a.spacing_mm[axis] - b.spacing_mm[axis]) > 1e-5 * a.spacing_mm[axis]) {
      return differ("spacing", a.spacing_mm, b.spacing_mm);
    }
  }
  if (!AllNear(a.origin_mm, b.origin_mm, 1e-3)) return differ("origin", a.origin_mm, b.origin_mm);
  if (!AllNear(a.direction, b.direction, 1e-5)) {
    return differ("direction", a.direction, b.direction);
  }
  return absl::OkStatus();
}

}  // namespace

double LabelComparison::min_dice() const {
  double lowest = 1;
  for (const LabelAgreement& agreement : labels) lowest = std::min(lowest, agreement.dice);
  return lowest;
}

absl::StatusOr<LabelComparison> CompareLabels(const LabelMap& a, const LabelMap& b) {
  NNSEG_RETURN_IF_ERROR(CheckSameGrid(a.geometry, b.geometry));
  LabelComparison comparison;
  comparison.voxels = a.labels.size();
  std::map<int, LabelAgreement> agreements;
  for (std::size_t i = 0; i < a.labels.voxels().size(); ++i) {
    const uint16_t in_a = a.labels.voxels()[i];
    const uint16_t in_b = b.labels.voxels()[i];
    if (in_a != in_b) ++comparison.differing;
    if (in_a != 0) ++agreements[in_a].voxels_a;
    if (in_b != 0) ++agreements[in_b].voxels_b;
    if (in_a == in_b && in_a != 0) ++agreements[in_a].common;
  }
  for (auto& [label, agreement] : agreements) {
    agreement.label = label;
    agreement.dice = 2 * static_cast<double>(agreement.common) /
                     static_cast<double>(agreement.voxels_a + agreement.voxels_b);
    std::vector<double> distances =
        SurfaceDistances(a.labels, b.labels, static_cast<uint16_t>(label), a.geometry.spacing());
    if (!distances.empty()) agreement.hd95_mm = Quantile(std::move(distances), 0.95);
    comparison.labels.push_back(agreement);
  }
  return comparison;
}

std::string FormatComparison(const LabelComparison& comparison) {
  std::string text =
      absl::StrFormat("%d of %d voxels differ; lowest Dice %.6f\n\n", comparison.differing,
                      comparison.voxels, comparison.min_dice());
  absl::StrAppend(&text, absl::StrFormat("%5s  %10s  %10s  %8s  %10s\n", "value", "voxels in A",
                                         "in B", "Dice", "HD95 in mm"));
  for (const LabelAgreement& agreement : comparison.labels) {
    const std::string hd95 =
        agreement.hd95_mm.has_value() ? absl::StrFormat("%.3f", *agreement.hd95_mm) : "-";
    absl::StrAppend(&text,
                    absl::StrFormat("%5d  %11d  %10d  %8.6f  %10s\n", agreement.label,
                                    agreement.voxels_a, agreement.voxels_b, agreement.dice, hd95));
  }
  return text;
}

std::string ComparisonAsJson(const LabelComparison& comparison) {
  nlohmann::ordered_json json;
  json["voxels"] = comparison.voxels;
  json["differing"] = comparison.differing;
  json["min_dice"] = comparison.min_dice();
  json["labels"] = nlohmann::ordered_json::array();
  for (const LabelAgreement& agreement : comparison.labels) {
    nlohmann::ordered_json label{{"value", agreement.label},       {"voxels_a", agreement.voxels_a},
                                 {"voxels_b", agreement.voxels_b}, {"common", agreement.common},
                                 {"dice", agreement.dice},         {"hd95_mm", nullptr}};
    if (agreement.hd95_mm.has_value()) label["hd95_mm"] = *agreement.hd95_mm;
    json["labels"].push_back(std::move(label));
  }
  return json.dump(2) + "\n";
}

}  // namespace nnseg
