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

SegmentationPlan RegionPlan(const std::vector<int>& regions_class_order) {
  const auto regions = static_cast<int>(regions_class_order.size());
  std::vector<LabelEntry> entries{{"background", {0}}};
  for (int first = 1; first <= regions; ++first) {
    entries.push_back({"from " + std::to_string(first), {}});
    for (int label = first; label <= regions + 1; ++label) entries.back().values.push_back(label);
  }
  SegmentationPlan plan;
  plan.labels = LabelTable::Create(std::move(entries), regions_class_order).value();
  return plan;
}

SegmentationPlan PlanFrom(const nlohmann::json& golden, int64_t channels) {
  const nlohmann::json& order = golden.at("regions_class_order");
  return order.is_null() ? LabelPlan(channels) : RegionPlan(order.get<std::vector<int>>());
}

Volume<Half> CropOf(const Volume<Half>& logits, const Box3& box) {
  const Shape3 shape = box.shape();
  auto crop = Volume<Half>::Uninitialized(logits.channels(), shape);
  for (int64_t c = 0; c < logits.channels(); ++c) {
    for (int64_t z = 0; z < shape[0]; ++z) {
      for (int64_t y = 0; y < shape[1]; ++y) {
        std::copy_n(&logits.at(c, box.begin + Index3{{z, y, 0}}), shape[2],
                    &crop.at(c, {{z, y, 0}}));
      }
    }
  }
  return crop;
}

Volume<Half> SliceOf(const Volume<Half>& logits, int64_t begin, int64_t end) {
  Box3 slice = Box3::Whole(logits.shape());
  slice.begin[0] = begin;
  slice.end[0] = end;
  return CropOf(logits, slice);
}

namespace {

// Pastes blocks into a volume and counts how often a voxel was written.
template <typename T>
class Paster {
 public:
  explicit Paster(Volume<T> volume)
      : volume_(std::move(volume)), written_(Volume<uint8_t>::Filled(1, volume_.shape(), 0)) {}

  void Paste(const Box3& box, const Volume<T>& values) {
    ASSERT_EQ(values.shape(), box.shape());
    ASSERT_EQ(values.channels(), volume_.channels());
    boxes_.push_back(box);
    const Shape3 shape = box.shape();
    for (int64_t z = 0; z < shape[0]; ++z) {
      for (int64_t y = 0; y < shape[1]; ++y) {
        for (int64_t x = 0; x < shape[2]; ++x) {
          const Index3 to = box.begin + Index3{{z, y, x}};
          ++written_.at(0, to);
          for (int64_t c = 0; c < values.channels(); ++c) {
            volume_.at(c, to) = values.at(c, {{z, y, x}});
          }
        }
      }
    }
  }

  // Checks that the voxels of `box`, and no others, were written once.
  Volume<T> Take(const Box3& box) {
    int64_t inside = 0;
    for (int64_t z = box.begin[0]; z < box.end[0]; ++z) {
      for (int64_t y = box.begin[1]; y < box.end[1]; ++y) {
        for (int64_t x = box.begin[2]; x < box.end[2]; ++x) inside += written_.at(0, {{z, y, x}});
      }
    }
    EXPECT_EQ(inside, box.shape().voxels());
    EXPECT_EQ(std::count(written_.voxels().begin(), written_.voxels().end(), 1), inside);
    return std::move(volume_);
  }
  const std::vector<Box3>& boxes() const { return boxes_; }

 private:
  Volume<T> volume_;
  Volume<uint8_t> written_;
  std::vector<Box3> boxes_;
};

void Feed(const SegmentationPlan& plan, const CaseProperties& properties,
          const Volume<Half>& logits, int64_t planes, const std::optional<Box3>& part,
          RestoreSinks sinks) {
  auto restorer = SlabRestorer::Create(plan, properties, std::move(sinks), part);
  ASSERT_THAT(restorer, IsOk());
  const Box3 whole = (*restorer)->boxes().logits;
  for (Box3 slab = whole; slab.begin[0] < whole.end[0]; slab.begin[0] += planes) {
    slab.end[0] = std::min(slab.begin[0] + planes, whole.end[0]);
    EXPECT_THAT((*restorer)->Add({slab.begin, CropOf(logits, slab)}), IsOk());
  }
  EXPECT_THAT((*restorer)->Finish(), IsOk());
}

}  // namespace

Volume<uint16_t> RestoreInSlabs(const SegmentationPlan& plan, const CaseProperties& properties,
                                const Volume<Half>& logits, int64_t planes,
                                const std::optional<Box3>& part) {
  const AxisPermutation backward = plan.transpose_forward.Inverse();
  Paster labels(Volume<uint16_t>::Filled(1, backward.Apply(properties.shape_before_cropping), 0));
  Feed(plan, properties, logits, planes, part, {.labels = [&](const LabelBlock& block) {
         labels.Paste(block.box, block.labels);
         return absl::OkStatus();
       }});
  return labels.Take(backward.Apply(part.value_or(properties.crop)));
}

Restored RestoreWithProbabilities(const SegmentationPlan& plan, const CaseProperties& properties,
                                  const Volume<Half>& logits, int64_t planes,
                                  const std::optional<Box3>& part) {
  const AxisPermutation backward = plan.transpose_forward.Inverse();
  const Shape3 shape = backward.Apply(properties.shape_before_cropping);
  Paster labels(Volume<uint16_t>::Filled(1, shape, 0));
  auto background = Volume<float>::Filled(logits.channels(), shape, 0);
  if (!plan.labels.has_regions()) {
    for (float& value : background.channel(0)) value = 1;
  }
  Paster probabilities(std::move(background));
  Feed(plan, properties, logits, planes, part,
       {.labels =
            [&](const LabelBlock& block) {
              labels.Paste(block.box, block.labels);
              return absl::OkStatus();
            },
        .probabilities =
            [&](const ProbabilityBlock& block) {
              probabilities.Paste(block.box, block.values);
              return absl::OkStatus();
            }});
  EXPECT_EQ(labels.boxes(), probabilities.boxes());
  const Box3 box = backward.Apply(part.value_or(properties.crop));
  return {labels.Take(box), probabilities.Take(box)};
}

}  // namespace nnseg
