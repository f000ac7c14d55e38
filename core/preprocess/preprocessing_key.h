#ifndef NNSEG_CORE_PREPROCESS_PREPROCESSING_KEY_H_
#define NNSEG_CORE_PREPROCESS_PREPROCESSING_KEY_H_

#include <string>

#include "core/plan/segmentation_plan.h"

namespace nnseg {

/// All that Preprocess reads of a plan, as text: without previous labels, plans of equal keys make
/// the same PreparedCase of the same image. Numbers are written exactly.
std::string PreprocessingKey(const SegmentationPlan& plan);

}  // namespace nnseg

#endif  // NNSEG_CORE_PREPROCESS_PREPROCESSING_KEY_H_
