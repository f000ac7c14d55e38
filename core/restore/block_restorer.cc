#include "core/restore/block_restorer.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/base/parallel_for.h"
#include "core/ensemble/probability_ensemble.h"
#include "core/restore/probabilities.h"
#include "core/volume/volume_view.h"

namespace nnseg {
namespace {

constexpr int64_t kValuesPerBlock = int64_t{8} << 20;

int64_t PlanesPerBlock(int64_t channels, int64_t rows, int64_t columns) {
  return std::max<int64_t>(1, kValuesPerBlock / (channels * rows * columns));
}

void CopyPlane(std::span<const float> plane, int64_t k, const VolumeView<float>& out) {
  const float* value = plane.data();
  for (int64_t y = 0; y < out.shape[1]; ++y) {
    for (int64_t x = 0; x < out.shape[2]; ++x) out.at({{k, y, x}}) = *value++;
  }
}

}  // namespace

BlockRestorer::BlockRestorer(const SegmentationPlan& plan, const RestoreBoxes& boxes,
                             std::unique_ptr<LogitResampler> resampler, RestoreSinks sinks)
    : PlanewiseRestorer(plan, boxes), resampler_(std::move(resampler)), sinks_(std::move(sinks)) {}

int64_t BlockRestorer::BlockBytes(int64_t channels, const Shape3& shape) {
  const int64_t planes = std::min(shape[0], PlanesPerBlock(channels, shape[1], shape[2]));
  return planes * channels * shape[1] * shape[2] * static_cast<int64_t>(sizeof(float));
}

std::array<int64_t, 2> BlockRestorer::InputPlanes(int64_t k) const {
  return resampler_->InputPlanes(k);
}

absl::Status BlockRestorer::Emit(int64_t begin, int64_t end) {
  const Shape3 image = boxes().image.shape();
  const int64_t planes = PlanesPerBlock(plan().labels.output_channels(), image[1], image[2]);
  for (; begin < end; begin += planes) {
    absl::Status status = Send(Logits(begin, std::min(begin + planes, end)));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

ProbabilityBlock BlockRestorer::Logits(int64_t begin, int64_t end) const {
  const int64_t channels = plan().labels.output_channels();
  const Shape3 image = boxes().image.shape();
  ProbabilityBlock block{.box = ReaderBox(begin, end), .values = {}};
  block.values = Volume<float>::Uninitialized(channels, block.box.shape());
  ParallelFor((end - begin) * channels, [&](int64_t first, int64_t last) {
    std::vector<float> plane(image[1] * image[2]);
    for (int64_t i = first; i < last; ++i) {
      const int64_t c = i % channels;
      const int64_t k = begin + i / channels;
      const auto [lower, upper] = resampler_->InputPlanes(k);
      resampler_->Resample(c, k, {Plane(lower), Plane(upper)}, plane);
      CopyPlane(plane, k - begin, ViewOf(block.values, c).Permuted(plan().transpose_forward));
    }
  });
  return block;
}

absl::Status BlockRestorer::Send(ProbabilityBlock block) const {
  const LabelTable& table = plan().labels;
  // Without probabilities nnU-Net compares the logits of labels themselves.
  if (sinks_.probabilities || table.has_regions()) ToProbabilities(table, block.values);
  if (sinks_.labels) {
    absl::Status status = sinks_.labels(LabelsOf(table, block));
    if (!status.ok()) return status;
  }
  return sinks_.probabilities ? sinks_.probabilities(std::move(block)) : absl::OkStatus();
}

}  // namespace nnseg
