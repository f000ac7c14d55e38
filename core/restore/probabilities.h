#ifndef NNSEG_CORE_RESTORE_PROBABILITIES_H_
#define NNSEG_CORE_RESTORE_PROBABILITIES_H_

#include "core/plan/label_table.h"
#include "core/volume/volume.h"

namespace nnseg {

/// Turns logits into class probabilities in place, in float: a softmax over channels, or with
/// regions a sigmoid of each (nnU-Net 2.8.1, label_handling.apply_inference_nonlin). torch 2.15's
/// own values differ by 1.8e-7 at most, as its vectors use another exponential and order of sums.
/// Works on ParallelFor's threads.
void ToProbabilities(const LabelTable& labels, Volume<float>& logits);

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_PROBABILITIES_H_
