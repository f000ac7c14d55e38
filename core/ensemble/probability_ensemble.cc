#include "core/ensemble/probability_ensemble.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/check.h"
#include "core/base/parallel_for.h"

namespace nnseg {
namespace {

// Voxels that are decided at once, so that what is known of them stays in the cache.
constexpr int64_t kVoxelsAtOnce = 4096;

// numpy's argmax over channels for the voxels [begin, end), fewer than kVoxelsAtOnce.
void TakeLargest(const Volume<float>& values, int64_t begin, int64_t end, uint16_t* labels) {
  std::array<float, kVoxelsAtOnce> largest;
  std::copy_n(values.channel(0).data() + begin, end - begin, largest.data());
  std::fill_n(labels + begin, end - begin, uint16_t{0});
  for (int64_t c = 1; c < values.channels(); ++c) {
    const float* const value = values.channel(c).data();
    for (int64_t i = begin; i < end; ++i) {
      float& so_far = largest[i - begin];
      const bool wins = value[i] > so_far || (std::isnan(value[i]) && !std::isnan(so_far));
      so_far = wins ? value[i] : so_far;
      labels[i] = wins ? static_cast<uint16_t>(c) : labels[i];
    }
  }
}

// Paints the regions in channel order.
void PaintRegions(const LabelTable& table, const Volume<float>& values, int64_t begin, int64_t end,
                  uint16_t* labels) {
  std::fill_n(labels + begin, end - begin, uint16_t{0});
  for (int64_t c = 0; c < values.channels(); ++c) {
    const float* const value = values.channel(c).data();
    const auto label = static_cast<uint16_t>(table.regions_class_order()[c]);
    for (int64_t i = begin; i < end; ++i) labels[i] = value[i] > 0.5F ? label : labels[i];
  }
}

}  // namespace

ProbabilityEnsemble::ProbabilityEnsemble(const Box3& box, int64_t channels, int64_t members)
    : box_(box), members_(members), sums_(Volume<float>::Uninitialized(channels, box.shape())) {}

void ProbabilityEnsemble::Add(const ProbabilityBlock& block) {
  const Shape3 shape = block.box.shape();
  const int64_t voxels = box_.shape().voxels();
  NNSEG_CHECK(block.values.channels() == sums_.channels() && block.values.shape() == shape);
  for (int axis = 0; axis < 3; ++axis) {
    NNSEG_CHECK(block.box.begin[axis] >= box_.begin[axis] && block.box.end[axis] <= box_.end[axis]);
  }
  NNSEG_CHECK(added_ + shape.voxels() <= members_ * voxels);
  const bool first = added_ < voxels;
  const Index3 origin = block.box.begin - box_.begin;
  ParallelFor(sums_.channels() * shape[0], [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t c = i / shape[0];
      const int64_t z = i % shape[0];
      for (int64_t y = 0; y < shape[1]; ++y) {
        const float* const row = &block.values.at(c, {{z, y, 0}});
        float* const sum = &sums_.at(c, origin + Index3{{z, y, 0}});
        for (int64_t x = 0; x < shape[2]; ++x) sum[x] = first ? row[x] : sum[x] + row[x];
      }
    }
  });
  added_ += shape.voxels();
}

ProbabilityBlock ProbabilityEnsemble::Mean(int64_t begin, int64_t end) const {
  const Shape3 shape = box_.shape();
  NNSEG_CHECK(added_ == members_ * shape.voxels());
  NNSEG_CHECK(begin >= 0 && begin < end && end <= shape[0]);
  ProbabilityBlock block{.box = box_, .values = {}};
  block.box.begin[0] = box_.begin[0] + begin;
  block.box.end[0] = box_.begin[0] + end;
  block.values = Volume<float>::Uninitialized(sums_.channels(), block.box.shape());
  const auto members = static_cast<float>(members_);
  ParallelFor(sums_.channels(), [&](int64_t first, int64_t last) {
    for (int64_t c = first; c < last; ++c) {
      const float* sum = &sums_.at(c, {{begin, 0, 0}});
      for (float& mean : block.values.channel(c)) mean = *sum++ / members;
    }
  });
  return block;
}

int64_t ProbabilityEnsemble::Bytes(const Shape3& box, int64_t channels) {
  return channels * box.voxels() * static_cast<int64_t>(sizeof(float));
}

LabelBlock LabelsOf(const LabelTable& labels, const ProbabilityBlock& block) {
  NNSEG_CHECK(block.values.channels() == labels.output_channels());
  const Shape3 shape = block.box.shape();
  LabelBlock result{.box = block.box, .labels = Volume<uint16_t>::Uninitialized(1, shape)};
  uint16_t* const out = result.labels.voxels().data();
  ParallelFor(shape.voxels(), [&](int64_t first, int64_t last) {
    for (int64_t begin = first; begin < last; begin += kVoxelsAtOnce) {
      const int64_t end = std::min(begin + kVoxelsAtOnce, last);
      if (labels.has_regions()) {
        PaintRegions(labels, block.values, begin, end, out);
      } else {
        TakeLargest(block.values, begin, end, out);
      }
    }
  });
  return result;
}

}  // namespace nnseg
