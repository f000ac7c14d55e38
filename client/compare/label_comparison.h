#ifndef NNSEG_CLIENT_COMPARE_LABEL_COMPARISON_H_
#define NNSEG_CLIENT_COMPARE_LABEL_COMPARISON_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/io/image.h"

namespace nnseg {

/// How well two maps agree on one label.
struct LabelAgreement {
  int label = 0;
  int64_t voxels_a = 0;
  int64_t voxels_b = 0;
  int64_t common = 0;  ///< voxels that have it in both
  /// 2 common / (voxels_a + voxels_b).
  double dice = 0;
  /// The 95th percentile of SurfaceDistances (surface_distance.h), millimetres; nothing when one
  /// map lacks the label.
  std::optional<double> hd95_mm;
};

/// Two label maps side by side.
struct LabelComparison {
  int64_t voxels = 0;
  int64_t differing = 0;               ///< voxels with different labels
  std::vector<LabelAgreement> labels;  ///< of each label of either map but 0, ascending

  /// The lowest Dice of all labels; 1 when there are none.
  double min_dice() const;
};

/// Compares two maps. INVALID_ARGUMENT when their grids differ: in size, by more than 1e-5 of a
/// spacing or in a direction cosine, or by more than 1e-3 mm in the origin; file formats do not
/// agree on less.
absl::StatusOr<LabelComparison> CompareLabels(const LabelMap& a, const LabelMap& b);

/// The texts that `nnseg compare` prints.
std::string FormatComparison(const LabelComparison& comparison);
std::string ComparisonAsJson(const LabelComparison& comparison);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_COMPARE_LABEL_COMPARISON_H_
