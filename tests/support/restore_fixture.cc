#include "tests/support/restore_fixture.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/restore/slab_restorer.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace nnseg {

SegmentationPlan LabelPlan(int64_t channels) {
  std::vector<LabelEntry> entries{{"background", {0}}};
  for (int label = 1; label < channels; ++label) {
    entries.push_back({"label " + std::to_string(label), {label}});
  }
  SegmentationPlan plan;
  plan.labels = LabelTable::Create(std::move(entries), std::nullopt).value();
  return plan;
}

Volume<Half> SliceOf(const Volume<Half>& logits, int64_t begin, int64_t end) {
  const Shape3& shape = logits.shape();
  auto slice = Volume<Half>::Uninitialized(logits.channels(), {{end - begin, shape[1], shape[2]}});
  for (int64_t c = 0; c < logits.channels(); ++c) {
    std::copy_n(&logits.at(c, {{begin, 0, 0}}), slice.shape().voxels(), slice.channel(c).data());
  }
  return slice;
}

void LabelCollector::Write(const LabelBlock& block) {
  ++blocks_;
  ASSERT_EQ(block.labels.shape(), block.box.shape());
  const Index3 strides = labels_.shape().strides();
  const Index3& begin = block.box.begin;
  const uint16_t* label = block.labels.voxels().data();
  for (int64_t z = begin[0]; z < block.box.end[0]; ++z) {
    for (int64_t y = begin[1]; y < block.box.end[1]; ++y) {
      for (int64_t x = begin[2]; x < block.box.end[2]; ++x) {
        const int64_t voxel = z * strides[0] + y * strides[1] + x;
        ASSERT_FALSE(written_[voxel]) << "a voxel came twice";
        written_[voxel] = true;
        labels_.at(0, {{z, y, x}}) = *label++;
      }
    }
  }
}

Volume<uint16_t> RestoreInSlabs(const SegmentationPlan& plan, const CaseProperties& properties,
                                const Volume<Half>& logits, int64_t planes) {
  LabelCollector collector(
      plan.transpose_forward.Inverse().Apply(properties.shape_before_cropping));
  auto restorer = SlabRestorer::Create(plan, properties, {.labels = [&](LabelBlock block) {
                                         collector.Write(block);
                                         return absl::OkStatus();
                                       }});
  EXPECT_THAT(restorer, IsOk());
  for (int64_t begin = 0; begin < logits.shape()[0]; begin += planes) {
    const int64_t end = std::min(begin + planes, logits.shape()[0]);
    EXPECT_THAT((*restorer)->Add({begin, SliceOf(logits, begin, end)}), IsOk());
  }
  EXPECT_THAT((*restorer)->Finish(), IsOk());
  return collector.TakeLabels();
}

}  // namespace nnseg
