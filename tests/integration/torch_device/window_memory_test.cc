// What a window is said to hold, against what torch allocates for it. On CPU tensors alone: there
// torch tells of each allocation.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/inference/torch/network_loader.h"
#include "core/inference/volume_predictor.h"
#include "core/inference/volume_window.h"
#include "core/tiling/gaussian_importance.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/torch_device/toy_network.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tiny_bundle.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

/// Hears of the bytes that this thread allocates for tensors while a guard is in scope.
class Meter : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, int64_t size, size_t, size_t, c10::Device) override {
    held_ += size;
    peak_ = std::max(peak_, held_);
  }
  bool memoryProfilingEnabled() const override { return true; }

  int64_t peak() const { return peak_; }

 private:
  int64_t held_ = 0;
  int64_t peak_ = 0;
};

/// Bytes of tensors that `work` holds at its peak.
template <typename Work>
int64_t PeakOf(const Work& work) {
  const auto meter = std::make_shared<Meter>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, meter);
  work();
  return meter->peak();
}

struct Setting {
  std::string name;
  Shape3 image;
  PatchSignature signature;
  int64_t folds = 1;
  std::vector<int> mirroring_axes;
  std::optional<Box3> box;
  std::optional<Shape3> labels;
};

void PrintTo(const Setting& setting, std::ostream* out) { *out << setting.name; }

class WindowMemoryOf : public testing::TestWithParam<Setting> {};

INSTANTIATE_TEST_SUITE_P(
    Settings, WindowMemoryOf,
    testing::Values(Setting{"Logits", {{40, 64, 72}}, ToySignature({{16, 16, 16}})},
                    Setting{"Folds", {{40, 64, 72}}, ToySignature({{16, 16, 16}}), 3},
                    Setting{"Mirrors", {{40, 64, 72}}, ToySignature({{16, 16, 16}}), 1, {0, 1}},
                    Setting{"Slices", {{9, 64, 72}}, ToySignature({{1, 32, 32}}, 2), 2, {1, 2}},
                    Setting{"Padded", {{10, 64, 72}}, ToySignature({{16, 16, 16}}), 2},
                    Setting{"Box",
                            {{60, 64, 72}},
                            ToySignature({{16, 16, 16}}),
                            1,
                            {},
                            Box3{{{20, 9, 3}}, {{50, 40, 61}}}},
                    Setting{"FinerLabels",
                            {{40, 64, 72}},
                            ToySignature({{16, 16, 16}}),
                            1,
                            {},
                            {},
                            Shape3{{50, 90, 100}}},
                    Setting{"CoarserLabels",
                            {{40, 64, 72}},
                            ToySignature({{16, 16, 16}}),
                            2,
                            {0},
                            {},
                            Shape3{{30, 40, 50}}}),
    [](const auto& test) { return test.param.name; });

TEST_P(WindowMemoryOf, IsAtMostWhatWasPredictedAndNotMuchLess) {
  const Setting& setting = GetParam();
  const TemporaryFolder folder;
  const auto loader = *MakeTorchLoader("cpu", {.windows_on_cpu = true});
  std::vector<std::unique_ptr<PatchNetwork>> networks;
  std::vector<PatchNetwork*> folds;
  const std::string file = folder.path() / "fold.pt";
  WriteToyNetwork(file, setting.signature.patch_dimensions, 0.75);
  for (int64_t fold = 0; fold < setting.folds; ++fold) {
    networks.push_back(*loader->Load(file, setting.signature, "fp32"));
    folds.push_back(networks.back().get());
  }
  PatchGrid grid = *PatchGrid::Create(setting.image, setting.signature.patch_size,
                                      setting.signature.patch_dimensions, 0.5);
  if (setting.box) grid = grid.Within(*setting.box);
  const auto mirrors = *MirrorsOf(setting.mirroring_axes);
  const auto image = RandomVolume(1, setting.image, 1);
  const auto importance = GaussianImportance(grid.patch_size());
  std::optional<LabelRule> rule;
  if (setting.labels) {
    const auto axis = [&](int i) {
      return AxisOperator::Resize(setting.image[i], (*setting.labels)[i], 1);
    };
    rule = LabelRule{.axes = {axis(0), axis(1), axis(2)}, .painted = {}};
  }

  std::vector<float> patch(static_cast<std::size_t>(setting.signature.input_size()));
  std::vector<float> logits(static_cast<std::size_t>(setting.signature.output_size()));
  const int64_t pass_peak = PeakOf([&] { NNSEG_EXPECT_OK(folds.front()->Run(patch, logits)); });
  const int64_t peak = PeakOf([&] {
    const auto window = folds.front()->OpenWindow({.image = image,
                                                   .folds = folds,
                                                   .grid = grid,
                                                   .mirrors = mirrors,
                                                   .importance = importance,
                                                   .labels = rule ? &*rule : nullptr});
    NNSEG_ASSERT_OK(window);
    const auto passes_per_row =
        grid.tiles_per_row() * setting.folds * static_cast<int64_t>(mirrors.size());
    for (int64_t row = 0; row < grid.tiles() / grid.tiles_per_row(); ++row) {
      for (int64_t i = 0; i < passes_per_row; ++i) NNSEG_ASSERT_OK((*window)->Run({}, {}));
      if (rule) {
        NNSEG_EXPECT_OK((*window)->TakeLabels());
      } else {
        NNSEG_EXPECT_OK((*window)->TakeLogits());
      }
    }
  });
  const int64_t predicted = PredictionDeviceBytes(
      folds, setting.image, setting.box.value_or(Box3::Whole(setting.image)).shape(),
      static_cast<int64_t>(mirrors.size()), setting.labels);
  EXPECT_LE(peak, predicted + pass_peak);
  // A box's tiles may reach further than they do here, and one slab could make all these labels.
  EXPECT_LE(predicted, (setting.box || setting.labels ? 3 : 2) * peak);
}

TEST(WindowMemory, NetworksHoldTheirWeightsOfTheBudget) {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "fold.pt";
  WriteConvolution(file, 1);
  const auto loader =
      *MakeTorchLoader("cpu", {.device_memory_bytes = 1000, .windows_on_cpu = true});
  const auto memory = loader->device_memory();
  ASSERT_NE(memory, nullptr);
  auto network = *loader->Load(file, ToySignature({{8, 8, 8}}), "fp32");
  EXPECT_EQ(memory->left_to_cases(), 1000 - (81 + 3) * 4);
  network = nullptr;
  EXPECT_EQ(memory->left_to_cases(), 1000);
}

TEST(WindowMemory, NoneIsPredictedWhereVolumesStayOnTheHost) {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "fold.pt";
  WriteToyNetwork(file, 3, 1);
  const auto loader = *MakeTorchLoader("cpu");
  EXPECT_EQ(loader->device_memory(), nullptr);
  const auto network = *loader->Load(file, ToySignature({{8, 8, 8}}), "fp32");
  const Shape3 shape{{20, 20, 20}};
  EXPECT_EQ(PredictionDeviceBytes({network.get()}, shape, shape, 1, shape), 0);
}

}  // namespace
}  // namespace nnseg
