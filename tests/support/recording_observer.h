#ifndef NNSEG_TESTS_SUPPORT_RECORDING_OBSERVER_H_
#define NNSEG_TESTS_SUPPORT_RECORDING_OBSERVER_H_

#include <functional>
#include <utility>
#include <vector>

#include "core/pipeline/stage_observer.h"

namespace nnseg {

/// Keeps what a case reports: stages in order, the label map pasted from its blocks, and how often
/// final labels covered each voxel.
class RecordingObserver : public StageObserver {
 public:
  explicit RecordingObserver(const Shape3& image_shape)
      : labels(Volume<uint16_t>::Filled(1, image_shape, 0)),
        coverage(Volume<uint8_t>::Filled(1, image_shape, 0)) {}

  void OnStage(Stage stage) override {
    stages.push_back(stage);
    if (on_stage) on_stage(stage);
  }
  void OnProgress(int64_t done, int64_t total) override {
    passes_done = done;
    passes_total = total;
  }
  void OnResultBegins(const std::vector<Box3>& boxes, LabelType type) override {
    labelled_boxes = boxes;
    for (const Box3& box : boxes) labelled_box = BoundingBox(labelled_box, box);
    label_type = type;
    ++results_begun;
  }
  absl::Status OnLabels(LabelBlock block) override {
    const Shape3 shape = block.box.shape();
    for (int64_t z = 0; z < shape[0]; ++z) {
      for (int64_t y = 0; y < shape[1]; ++y) {
        for (int64_t x = 0; x < shape[2]; ++x) {
          const Index3 voxel = block.box.begin + Index3{{z, y, x}};
          labels.at(0, voxel) = block.labels.at(0, {{z, y, x}});
          if (!block.provisional) ++coverage.at(0, voxel);
        }
      }
    }
    ++(block.provisional ? provisional_blocks : blocks);
    return label_status;
  }

  absl::Status OnProbabilities(ProbabilityBlock block) override {
    probabilities.push_back(std::move(block));
    return absl::OkStatus();
  }

  std::function<void(Stage)> on_stage;  ///< called after recording
  absl::Status label_status;            ///< answer to OnLabels

  std::vector<Stage> stages;
  int64_t passes_done = 0;
  int64_t passes_total = 0;
  std::vector<Box3> labelled_boxes;
  Box3 labelled_box;  ///< that holds them all
  LabelType label_type = LabelType::kUint8;
  int results_begun = 0;
  int blocks = 0;  ///< final ones
  int provisional_blocks = 0;
  Volume<uint16_t> labels;
  std::vector<ProbabilityBlock> probabilities;
  Volume<uint8_t> coverage;
};

}  // namespace nnseg

#endif  // NNSEG_TESTS_SUPPORT_RECORDING_OBSERVER_H_
