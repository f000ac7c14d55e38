#include "core/pipeline/label_delivery.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/status_macros.h"
#include "core/base/stop_watch.h"
#include "core/postprocess/postprocessing_chain.h"

namespace nnseg {
namespace {

// Final labels go out in blocks of about this many voxels.
constexpr int64_t kBlockVoxels = int64_t{1} << 20;

}  // namespace

LabelDelivery::LabelDelivery(const SegmentationCase& segmentation_case,
                             std::vector<Box3> labelled_boxes, StageObserver& observer)
    : labels_(segmentation_case.model->bundle().plan.labels),
      rules_(segmentation_case.regions.empty() &&
                     segmentation_case.options.postprocess.value_or(true)
                 ? segmentation_case.model->bundle().postprocessing
                 : PostprocessingRules{}),
      provisional_(segmentation_case.options.provisional_labels),
      boxes_(std::move(labelled_boxes)),
      token_(segmentation_case.token),
      observer_(observer),
      counts_(std::numeric_limits<uint16_t>::max() + 1) {
  if (postprocesses()) map_ = Volume<uint16_t>::Filled(1, boxes_.front().shape(), 0);
}

void LabelDelivery::Begin() {
  if (!std::exchange(begun_, true)) observer_.OnResultBegins(boxes_, labels_.label_type());
}

absl::Status LabelDelivery::Deliver(LabelBlock block) {
  for (const uint16_t label : block.labels.voxels()) ++counts_[label];
  counted_ += block.labels.size();
  return observer_.OnLabels(std::move(block));
}

absl::Status LabelDelivery::Add(LabelBlock block) {
  if (!postprocesses()) {
    Begin();
    return Deliver(std::move(block));
  }
  PasteLabels(block, boxes_.front(), map_);
  if (!provisional_) return absl::OkStatus();
  Begin();
  block.provisional = true;
  return observer_.OnLabels(std::move(block));
}

absl::Status LabelDelivery::Add(ProbabilityBlock block) {
  Begin();
  return observer_.OnProbabilities(std::move(block));
}

absl::Status LabelDelivery::Finish() {
  Begin();
  if (!postprocesses()) return absl::OkStatus();
  observer_.OnStage(Stage::kPostprocess);
  StopWatch watch;
  NNSEG_RETURN_IF_ERROR(ApplyPostprocessing(rules_, token_, map_));
  postprocess_seconds_ = watch.Lap();
  const Box3& box = boxes_.front();
  const Shape3 shape = box.shape();
  const int64_t plane = shape[1] * shape[2];
  const int64_t planes = std::max<int64_t>(1, kBlockVoxels / plane);
  for (int64_t z = 0; z < shape[0]; z += planes) {
    LabelBlock block{.box = box};
    block.box.begin[0] = box.begin[0] + z;
    block.box.end[0] = std::min(block.box.begin[0] + planes, box.end[0]);
    block.labels = Volume<uint16_t>::Uninitialized(1, block.box.shape());
    std::copy_n(&map_.at(0, {{z, 0, 0}}), block.labels.size(), block.labels.voxels().begin());
    NNSEG_RETURN_IF_ERROR(Deliver(std::move(block)));
  }
  return absl::OkStatus();
}

std::map<int, int64_t> LabelDelivery::VoxelsPerLabel(int64_t image_voxels) const {
  std::map<int, int64_t> result;
  for (const LabelEntry& entry : labels_.entries()) {
    for (const int value : entry.values) {
      // Voxels that no block covered are background.
      const int64_t uncovered = value == 0 ? image_voxels - counted_ : 0;
      result[value] = counts_[static_cast<std::size_t>(value)] + uncovered;
    }
  }
  return result;
}

}  // namespace nnseg
