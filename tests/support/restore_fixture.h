#ifndef NNSEG_TESTS_SUPPORT_RESTORE_FIXTURE_H_
#define NNSEG_TESTS_SUPPORT_RESTORE_FIXTURE_H_

#include <vector>

#include "core/plan/segmentation_plan.h"
#include "core/preprocess/case_properties.h"
#include "core/volume/half.h"
#include "core/volume/label_map.h"
#include "core/volume/volume.h"

namespace nnseg {

/// A plan of background and `channels` - 1 labels; everything else as by default.
SegmentationPlan LabelPlan(int64_t channels);

/// The part [begin, end) along axis 0.
Volume<Half> SliceOf(const Volume<Half>& logits, int64_t begin, int64_t end);

/// Writes blocks into a label map of background and checks that they do not overlap.
class LabelCollector {
 public:
  /// `shape` in the reader's axes.
  explicit LabelCollector(const Shape3& shape)
      : labels_(Volume<uint16_t>::Filled(1, shape, 0)), written_(shape.voxels(), false) {}

  /// Adds a gtest failure when a voxel was written before.
  void Write(const LabelBlock& block);
  int blocks() const { return blocks_; }
  Volume<uint16_t> TakeLabels() { return std::move(labels_); }

 private:
  Volume<uint16_t> labels_;
  std::vector<bool> written_;
  int blocks_ = 0;
};

/// The whole label map, in the reader's axes, from logits that arrive `planes` at a time.
Volume<uint16_t> RestoreInSlabs(const SegmentationPlan& plan, const CaseProperties& properties,
                                const Volume<Half>& logits, int64_t planes);

}  // namespace nnseg

#endif  // NNSEG_TESTS_SUPPORT_RESTORE_FIXTURE_H_
