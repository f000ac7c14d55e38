#include "core/pipeline/segmentation_case.h"

namespace nnseg {

const char* NameOf(Stage stage) {
  switch (stage) {
    case Stage::kQueued:
      return "queued";
    case Stage::kPreprocess:
      return "preprocess";
    case Stage::kInfer:
      return "infer";
    case Stage::kRestore:
      return "restore";
    case Stage::kPostprocess:
      return "postprocess";
  }
  return "unknown";
}

}  // namespace nnseg
