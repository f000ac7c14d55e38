#include "core/inference/torch/torch_window.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/inference/torch/network_loader.h"
#include "core/inference/volume_predictor.h"
#include "core/restore/slab_restorer.h"
#include "core/tiling/gaussian_importance.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/torch_device/tensors.h"
#include "tests/integration/torch_device/toy_network.h"
#include "tests/support/restore_fixture.h"
#include "tests/support/slab_collector.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tiny_bundle.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

/// Toy networks of some folds, loaded for windows on the device under test or, on the CPU, for
/// passes that the host brings.
class Networks {
 public:
  Networks(const PatchSignature& signature, int64_t folds, bool windows, int fails_at = 0) {
    const auto loader =
        *MakeTorchLoader(windows ? NameOfDeviceUnderTest() : "cpu", {.windows_on_cpu = windows});
    for (int64_t fold = 0; fold < folds; ++fold) {
      const std::string file = folder_.path() / ("fold_" + std::to_string(fold) + ".pt");
      WriteToyNetwork(file, signature.patch_dimensions, 0.75 + static_cast<double>(fold), fails_at);
      networks_.push_back(*loader->Load(file, signature, "fp32"));
      folds_.push_back(networks_.back().get());
    }
  }

  const std::vector<PatchNetwork*>& folds() const { return folds_; }

 private:
  TemporaryFolder folder_;
  std::vector<std::unique_ptr<PatchNetwork>> networks_;
  std::vector<PatchNetwork*> folds_;
};

struct Setting {
  std::string name;
  Shape3 image;
  PatchSignature signature;
  int64_t folds = 1;
  std::vector<int> mirroring_axes;
  std::optional<Box3> box;
};

void PrintTo(const Setting& setting, std::ostream* out) { *out << setting.name; }

Volume<Half> Logits(const Setting& setting, const Networks& networks) {
  TileScheduler scheduler;
  const Box3 box = setting.box.value_or(Box3::Whole(setting.image));
  const auto whole = Volume<Half>::Filled(3, box.shape(), Half(0.0F));
  auto logits = CopyOf(whole);
  int64_t next = box.begin[0];
  int64_t passes = 0;
  PredictionObserver observer;
  observer.on_progress = [&](const PredictionProgress& progress) {
    EXPECT_EQ(progress.passes_done, ++passes);
  };
  observer.on_slab = [&](LogitSlab slab) {
    EXPECT_EQ(slab.begin, (Index3{{next, box.begin[1], box.begin[2]}}));
    for (int64_t c = 0; c < 3; ++c) {
      const auto channel = slab.logits.channel(c);
      std::copy(channel.begin(), channel.end(), &logits.at(c, {{next - box.begin[0], 0, 0}}));
    }
    next = slab.end();
    return absl::OkStatus();
  };
  NNSEG_EXPECT_OK(PredictVolume(RandomVolume(1, setting.image, 1), networks.folds(),
                                {.mirroring_axes = setting.mirroring_axes, .box = setting.box},
                                scheduler, CancellationToken(), observer));
  EXPECT_EQ(next, box.end[0]);
  return logits;
}

class TorchWindowOf : public testing::TestWithParam<Setting> {};

INSTANTIATE_TEST_SUITE_P(
    Settings, TorchWindowOf,
    testing::Values(Setting{"OneFold", {{21, 13, 18}}, ToySignature({{8, 8, 8}})},
                    Setting{"Mirrors", {{21, 13, 18}}, ToySignature({{8, 8, 8}}), 1, {0, 1, 2}},
                    Setting{"FoldsAndMirrors", {{14, 13, 9}}, ToySignature({{8, 8, 8}}), 3, {0, 2}},
                    Setting{"Padded", {{5, 13, 4}}, ToySignature({{8, 8, 8}}), 2, {1}},
                    Setting{"Slices", {{5, 13, 18}}, ToySignature({{1, 8, 8}}, 2), 2, {1, 2}},
                    Setting{"Box",
                            {{40, 33, 28}},
                            ToySignature({{8, 8, 8}}),
                            1,
                            {2},
                            Box3{{{11, 9, 3}}, {{24, 20, 21}}}},
                    Setting{"BoxAtTheEdges",
                            {{40, 5, 28}},
                            ToySignature({{8, 8, 8}}),
                            2,
                            {},
                            Box3{{{0, 0, 20}}, {{9, 5, 28}}}}),
    [](const auto& test) { return test.param.name; });

TEST_P(TorchWindowOf, LogitsHaveTheHostsBits) {
  NNSEG_SKIP_WITHOUT_DEVICE();
  const Setting& setting = GetParam();
  const Networks by_host(setting.signature, setting.folds, false);
  const Networks in_window(setting.signature, setting.folds, true);
  ASSERT_FALSE(by_host.folds().front()->keeps_volumes());
  ASSERT_TRUE(in_window.folds().front()->keeps_volumes());
  EXPECT_EQ(
      CountDifferent<Half>(Logits(setting, in_window).voxels(), Logits(setting, by_host).voxels()),
      0);
}

// Batches are cut where folds end, and one that fails half-way is tried once more pass by pass, as
// the scheduler does it.
TEST_P(TorchWindowOf, BatchesAndSecondTriesChangeNothing) {
  NNSEG_SKIP_WITHOUT_DEVICE();
  const Setting& setting = GetParam();
  const TemporaryFolder folder;
  const auto stream = DeviceUnderTest();
  const Networks networks(setting.signature, setting.folds, true);
  PatchGrid grid = *PatchGrid::Create(setting.image, setting.signature.patch_size,
                                      setting.signature.patch_dimensions, 0.5);
  if (setting.box) grid = grid.Within(*setting.box);
  const auto mirrors = *MirrorsOf(setting.mirroring_axes);
  const auto image = RandomVolume(1, setting.image, 1);
  const auto importance = GaussianImportance(grid.patch_size());
  std::vector<std::unique_ptr<ScriptForward>> forwards;
  std::vector<ScriptForward*> pointers;
  for (int64_t fold = 0; fold < setting.folds; ++fold) {
    const std::string file = folder.path() / "fold.pt";
    WriteToyNetwork(file, setting.signature.patch_dimensions, 0.75 + static_cast<double>(fold),
                    fold == 1 ? 1 : 0);
    forwards.push_back(std::make_unique<ScriptForward>(file, setting.signature, *stream));
    pointers.push_back(forwards.back().get());
  }
  const auto window = OpenTorchWindow({.image = image,
                                       .folds = networks.folds(),
                                       .grid = grid,
                                       .mirrors = mirrors,
                                       .importance = importance},
                                      pointers, stream, 3);
  NNSEG_ASSERT_OK(window);
  ASSERT_EQ((*window)->max_batch(), 3);
  const int64_t total = grid.tiles() * setting.folds * static_cast<int64_t>(mirrors.size());
  std::vector<Half> logits;  // slab after slab
  int failed = 0;
  for (int64_t done = 0; done < total; done += 3) {
    const std::vector<PatchPass> passes(std::min<int64_t>(3, total - done));
    const absl::Status status = (*window)->RunBatch(passes);
    failed += status.ok() ? 0 : 1;
    for (std::size_t i = 0; !status.ok() && i < passes.size(); ++i) {
      NNSEG_ASSERT_OK((*window)->Run({}, {}));
    }
    for (;;) {
      const auto slab = (*window)->TakeLogits();
      NNSEG_ASSERT_OK(slab);
      if (slab->logits.empty()) break;
      // Channel 1 shows order and content.
      const auto channel = slab->logits.channel(1);
      logits.insert(logits.end(), channel.begin(), channel.end());
    }
  }
  EXPECT_EQ(failed, setting.folds > 1 ? 1 : 0);
  const Networks by_host(setting.signature, setting.folds, false);
  const Volume<Half> expected = Logits(setting, by_host);
  EXPECT_EQ(CountDifferent<Half>(logits, expected.channel(1)), 0);
}

TEST(TorchWindow, APassThatMemoryWasShortForIsRunOnceMore) {
  if (NameOfDeviceUnderTest() != "cpu") {
    GTEST_SKIP() << "recorded passes do not count their calls, so the toy network fails at none";
  }
  const Setting setting{"", {{14, 13, 9}}, ToySignature({{8, 8, 8}}), 1, {0, 2}, {}};
  // One call is the probe's.
  const Networks failing(setting.signature, 1, true, 7);
  const Networks sound(setting.signature, 1, true);
  EXPECT_EQ(
      CountDifferent<Half>(Logits(setting, failing).voxels(), Logits(setting, sound).voxels()), 0);
}

/// Labels of an image that was resampled for the network, in the reader's axes.
Volume<uint16_t> Labels(const SegmentationPlan& plan, const CaseProperties& properties,
                        const Networks& networks, const std::optional<Box3>& part,
                        int64_t& label_planes) {
  auto labels = Volume<uint16_t>::Filled(1, {{20, 31, 25}}, 99);
  const auto restorer =
      *SlabRestorer::Create(plan, properties,
                            {.labels =
                                 [&](LabelBlock block) {
                                   PasteLabels(block, Box3::Whole(labels.shape()), labels);
                                   return absl::OkStatus();
                                 }},
                            part);
  TileScheduler scheduler;
  PredictionObserver observer;
  observer.on_slab = [&](LogitSlab slab) { return restorer->Add(std::move(slab)); };
  observer.on_labels = [&](LabelPlanes planes) {
    label_planes += planes.labels.shape()[0];
    return restorer->AddLabels(std::move(planes));
  };
  NNSEG_EXPECT_OK(PredictVolume(
      RandomVolume(1, properties.network_shape, 1), networks.folds(),
      {.mirroring_axes = {0}, .box = restorer->boxes().logits, .labels = restorer->label_rule()},
      scheduler, CancellationToken(), observer));
  NNSEG_EXPECT_OK(restorer->Finish());
  return labels;
}

// From the network's grid to the reader's axes, whole and in part, with labels and with regions.
TEST(TorchWindow, LabelsAreTheHosts) {
  NNSEG_SKIP_WITHOUT_DEVICE();
  CaseProperties properties;
  properties.shape_before_cropping = {{25, 20, 31}};
  properties.crop = {{{2, 0, 3}}, {{25, 18, 30}}};
  properties.network_shape = {{31, 12, 22}};
  properties.spacing = {{1, 1, 1}};
  properties.network_spacing = {{0.75, 1.5, 1.25}};
  const PatchSignature signature = ToySignature({{8, 8, 8}});
  const Networks by_host(signature, 2, false);
  const Networks in_window(signature, 2, true);
  const Box3 part{{{5, 3, 9}}, {{16, 17, 22}}};
  for (SegmentationPlan plan : {LabelPlan(3), RegionPlan({2, 1, 3})}) {
    plan.transpose_forward = *AxisPermutation::Create({2, 0, 1});
    plan.logits_resampling = {.order = 1, .order_z = 0, .force_separate_z = false};
    for (const std::optional<Box3>& box : {std::optional<Box3>(), std::optional<Box3>(part)}) {
      int64_t by_the_host = 0;
      int64_t on_the_device = 0;
      const auto expected = Labels(plan, properties, by_host, box, by_the_host);
      const auto labels = Labels(plan, properties, in_window, box, on_the_device);
      EXPECT_EQ(CountDifferent<uint16_t>(labels.voxels(), expected.voxels()), 0);
      EXPECT_EQ(by_the_host, 0);
      EXPECT_EQ(on_the_device, box.value_or(properties.crop).shape()[0]);
    }
  }
}

}  // namespace
}  // namespace nnseg
