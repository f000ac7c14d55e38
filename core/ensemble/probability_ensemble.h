#ifndef NNSEG_CORE_ENSEMBLE_PROBABILITY_ENSEMBLE_H_
#define NNSEG_CORE_ENSEMBLE_PROBABILITY_ENSEMBLE_H_

#include <cstdint>

#include "core/plan/label_table.h"
#include "core/volume/label_map.h"

namespace nnseg {

/// The mean of several models' class probabilities (nnU-Net 2.8.1, ensembling/ensemble): float sums
/// in the order of members, one division. Holds the probabilities of one box of the image.
///
/// Not thread-safe; works on ParallelFor's threads.
class ProbabilityEnsemble {
 public:
  /// `box` is the labelled box of every member (reader axes), `channels` the outputs of each.
  ProbabilityEnsemble(const Box3& box, int64_t channels, int64_t members);

  /// Adds a block of one member. REQUIRES: it lies within the box; every member covers the box
  /// once; one member after the other.
  void Add(const ProbabilityBlock& block);

  /// The mean over the rows [begin, end) along reader axis 0 of the box, counted from the box's
  /// begin. REQUIRES: all members are complete.
  ProbabilityBlock Mean(int64_t begin, int64_t end) const;

  /// Host bytes that it holds, for admission.
  static int64_t Bytes(const Shape3& box, int64_t channels);

 private:
  const Box3 box_;
  const int64_t members_;
  int64_t added_ = 0;   // voxels, over all members
  Volume<float> sums_;  // channels x box
};

/// The labels that a block of probabilities gives, as nnU-Net decides them (2.8.1,
/// label_handling.convert_probabilities_to_segmentation): the channel of the largest, the first of
/// equals, NaN above all; with regions those above one half are painted in channel order. Without
/// regions the values may as well be logits. Works on ParallelFor's threads.
LabelBlock LabelsOf(const LabelTable& labels, const ProbabilityBlock& block);

}  // namespace nnseg

#endif  // NNSEG_CORE_ENSEMBLE_PROBABILITY_ENSEMBLE_H_
