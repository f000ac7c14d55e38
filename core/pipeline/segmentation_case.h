#ifndef NNSEG_CORE_PIPELINE_SEGMENTATION_CASE_H_
#define NNSEG_CORE_PIPELINE_SEGMENTATION_CASE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/cancellation.h"
#include "core/geometry/box.h"
#include "core/geometry/spacing.h"
#include "core/inference/priority.h"
#include "core/model/loaded_model.h"
#include "core/pipeline/prepared_cache.h"
#include "core/volume/voxel_buffer.h"

namespace nnseg {

/// What a request may choose; what it leaves open is the model's or nnU-Net's default.
struct SegmentationOptions {
  std::string engine;              ///< "", "auto", "torch" or "openvino"
  std::vector<std::string> folds;  ///< empty: all folds of the bundle
  double tile_step_size = 0.5;     ///< in patches, in (0, 1]
  bool use_gaussian = true;
  bool use_mirroring = true;        ///< over the axes that the model's training allowed
  std::optional<bool> postprocess;  ///< nothing: if the bundle has rules
  bool provisional_labels = false;  ///< send labels before post-processing, too
  bool probabilities = false;       ///< send class probabilities; labels are decided from them
  /// "" (the model's policy), "auto", "exact", "fp32", "bf16", "int8", "int8_bf16" or "fp16".
  std::string precision;
  Priority priority = Priority::kBatch;
  bool reduce_to_deadline = false;  ///< leave out mirrors, then folds, to meet token.deadline()
  /// Not the request's choice but the server's: keep volumes on the networks' device, if they can.
  bool use_window = true;
};

/// One image to segment.
struct SegmentationCase {
  std::string request_id;
  std::shared_ptr<const LoadedModel> model;
  std::shared_ptr<const VoxelBuffer> voxels;  ///< reader axes; let go as soon as it is prepared
  /// Of an image that outlives the case. Null: nothing is kept.
  std::shared_ptr<PreparedCache> prepared_cache;
  /// Cascade: the previous stage's label map (reader axes, shape of the image). Empty: the model's
  /// own previous stage makes it.
  std::optional<Volume<uint16_t>> previous_labels;
  Spacing3 spacing{};  ///< reader axes (z, y, x)
  /// Boxes to segment (reader axes): disjoint, in the image, not empty. None: the whole image.
  std::vector<Box3> regions;
  SegmentationOptions options;
  CancellationToken token;
};

/// A case's stages, in order.
enum class Stage { kQueued, kPreprocess, kInfer, kRestore, kPostprocess };

/// "preprocess", for logs, metrics and answers.
const char* NameOf(Stage stage);

/// What was left out to meet a deadline.
enum class Reduction { kMirroring, kFolds };

/// What was really done for a case.
struct SegmentationSummary {
  std::string engine;     ///< that ran
  std::string precision;  ///< of the network: "fp32", "bf16", "int8", "int8_bf16", "fp16"
  std::vector<std::string> folds;
  std::vector<int> mirroring_axes;    ///< internal axes; empty: none
  std::vector<Reduction> reductions;  ///< to meet the deadline, in order
  bool postprocessed = false;
  int64_t tiles = 0;
  int64_t passes = 0;  ///< tiles x mirrors x folds
  Box3 labelled_box;   ///< reader axes; voxels outside of it and of the regions are background
  std::map<int, int64_t> voxels_per_label;  ///< over the whole image, background included
  /// Wall seconds by stage. Restoring overlaps inference: kInfer holds the wait for the device,
  /// kRestore the rest.
  std::map<Stage, double> stage_seconds;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_PIPELINE_SEGMENTATION_CASE_H_
