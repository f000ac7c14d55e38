#ifndef NNSEG_TESTS_SUPPORT_RESTORE_FIXTURE_H_
#define NNSEG_TESTS_SUPPORT_RESTORE_FIXTURE_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "core/plan/segmentation_plan.h"
#include "core/preprocess/case_properties.h"
#include "core/volume/half.h"
#include "core/volume/label_map.h"
#include "core/volume/volume.h"

namespace nnseg {

/// A plan of background and `channels` - 1 labels; everything else as by default.
SegmentationPlan LabelPlan(int64_t channels);

/// A plan of regions that are painted as `regions_class_order`; everything else as by default.
SegmentationPlan RegionPlan(const std::vector<int>& regions_class_order);

/// The one that a golden case's key "regions_class_order" asks for; null: labels.
SegmentationPlan PlanFrom(const nlohmann::json& golden, int64_t channels);

/// A part of all channels.
Volume<Half> CropOf(const Volume<Half>& logits, const Box3& box);

/// The part [begin, end) along axis 0.
Volume<Half> SliceOf(const Volume<Half>& logits, int64_t begin, int64_t end);

/// What a restorer sends: pasted into an image of background.
struct Restored {
  Volume<uint16_t> labels;
  Volume<float> probabilities;
};

/// The whole label map, in the reader's axes, from logits that arrive `planes` at a time; with
/// `part` (of the image, internal axes) from those that the part is made of. Adds a gtest failure
/// unless blocks cover the voxels of the crop, or the part, once and no others.
Volume<uint16_t> RestoreInSlabs(const SegmentationPlan& plan, const CaseProperties& properties,
                                const Volume<Half>& logits, int64_t planes,
                                const std::optional<Box3>& part = std::nullopt);

/// The same with both sinks, which must get the same boxes.
Restored RestoreWithProbabilities(const SegmentationPlan& plan, const CaseProperties& properties,
                                  const Volume<Half>& logits, int64_t planes,
                                  const std::optional<Box3>& part = std::nullopt);

}  // namespace nnseg

#endif  // NNSEG_TESTS_SUPPORT_RESTORE_FIXTURE_H_
