#ifndef NNSEG_CORE_ENSEMBLE_PROBABILITY_ENSEMBLE_H_
#define NNSEG_CORE_ENSEMBLE_PROBABILITY_ENSEMBLE_H_

#include <cstdint>

#include "core/plan/label_table.h"
#include "core/volume/label_map.h"

namespace nnseg {

/// The mean of several models' class probabilities and the labels that it gives (nnU-Net 2.8.1,
/// ensembling/ensemble): float sums in the order of members, one division, then the largest
/// probability (regions: above one half). Holds the probabilities of one box of the image.
///
/// Not thread-safe; works on ParallelFor's threads.
class ProbabilityEnsemble {
 public:
  /// `box` is the labelled box of every member (reader axes), `channels` the outputs of each.
  ProbabilityEnsemble(const Box3& box, int64_t channels, int64_t members);

  /// Adds a block of one member. REQUIRES: it lies within the box; every member covers the box
  /// once; one member after the other.
  void Add(const ProbabilityBlock& block);

  /// The mean over the rows [begin, end) along reader axis 0 of the box. REQUIRES: all members are
  /// complete; each row is taken once (its memory becomes the mean).
  ProbabilityBlock Mean(int64_t begin, int64_t end);

  /// Host bytes that it holds, for admission.
  static int64_t Bytes(const Shape3& box, int64_t channels);

 private:
  const Box3 box_;
  const int64_t members_;
  Volume<float> sums_;  // channels x box
};

/// The labels that a block of probabilities gives, as nnU-Net decides them.
LabelBlock LabelsOf(const LabelTable& labels, const ProbabilityBlock& block);

}  // namespace nnseg

#endif  // NNSEG_CORE_ENSEMBLE_PROBABILITY_ENSEMBLE_H_
