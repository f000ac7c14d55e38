// What admission counts, against what cases really take.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "core/model/model_repository.h"
#include "core/pipeline/case_check.h"
#include "core/pipeline/pipeline.h"
#include "tests/support/heap_meter.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/pipeline/tiny_case.h"

namespace nnseg {
namespace {

constexpr Shape3 kShape{{70, 80, 90}};
constexpr Shape3 kPatch{{40, 40, 40}};
// How many times as much as is taken may be counted: images that are not resampled or not as large
// as they might be take less.
constexpr int64_t kSlack = 3;

const char* const kRules = R"({
  "postprocessing_fns": ["remove_all_but_largest_component_from_segmentation"],
  "postprocessing_kwargs": [{"labels_or_regions": [1]}]})";

// Takes what comes and keeps nothing.
class ForgetfulObserver : public StageObserver {
  void OnStage(Stage /*stage*/) override {}
  void OnProgress(int64_t /*done*/, int64_t /*total*/) override {}
  void OnResultBegins(const std::vector<Box3>& /*boxes*/, LabelType /*type*/) override {}
  absl::Status OnLabels(LabelBlock /*block*/) override { return absl::OkStatus(); }
  absl::Status OnProbabilities(ProbabilityBlock /*block*/) override { return absl::OkStatus(); }
};

struct Kind {
  std::string name;
  TinyBundleOptions bundle;
  SegmentationOptions options = {};
  std::vector<Box3> regions = {};
  std::vector<TinyBundleOptions> others = {};  ///< a cascade's first stage
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

TinyBundleOptions Bundle(TinyBundleOptions options) {
  options.patch_size = kPatch;
  options.mirroring_axes = {};
  return options;
}

class PeakMemory : public testing::TestWithParam<Kind> {};

TEST_P(PeakMemory, StaysBelowWhatAdmissionCountsAndNearIt) {
  const TemporaryFolder folder;
  const Kind& kind = GetParam();
  ModelRepository repository(
      folder.path(), {{std::make_shared<FakeNetworkLoader>(), std::make_shared<TileScheduler>()}});
  for (const TinyBundleOptions& other : kind.others) WriteTinyBundle(folder.path(), other);
  if (kind.bundle.name == "both") {
    WriteTinyEnsemble(folder.path(), "both", {{"first", 1}, {"second", 1}});
  } else {
    WriteTinyBundle(folder.path(), kind.bundle);
  }
  NNSEG_ASSERT_OK(repository.Load(kind.bundle.name, 0));
  const auto model = repository.Borrow(kind.bundle.name, 0);
  NNSEG_ASSERT_OK(model);

  int64_t taken = 0;
  int64_t counted = 0;
  for (int round = 0; round < 2; ++round) {  // the first also makes what the process keeps
    SegmentationCase segmentation_case = MakeCase(*model, kShape);
    segmentation_case.options = kind.options;
    segmentation_case.regions = kind.regions;
    const auto estimate = EstimateWorkingBytes(**model, kind.options, false, PixelType::kFloat32,
                                               kShape, segmentation_case.spacing, kind.regions);
    NNSEG_ASSERT_OK(estimate);
    counted = estimate->host;
    ForgetfulObserver observer;
    const int64_t before = HeapBytes();
    StartHeapPeak();
    NNSEG_ASSERT_OK(Segment(std::move(segmentation_case), observer));
    taken = HeapPeak() - before;
  }
  EXPECT_LE(taken, counted);
  EXPECT_GE(taken * kSlack, counted);
  RecordProperty("taken_bytes", std::to_string(taken));
  RecordProperty("counted_bytes", std::to_string(counted));
}

std::vector<Kind> Kinds() {
  const TinyBundleOptions low =
      Bundle({.name = "low", .configuration = "3d_lowres", .spacing_mm = 2.0});
  return {
      {"FewLabels", Bundle({})},
      {"ManyLabels", Bundle({.foreground_labels = 40})},
      {"FinerNetworkGrid", Bundle({.foreground_labels = 10, .spacing_mm = 0.7})},
      {"CoarserNetworkGrid", Bundle({.foreground_labels = 10, .spacing_mm = 1.5})},
      {"OverlappingRegions", Bundle({.regions = {{1, 2}, {2}}})},
      {"Probabilities", Bundle({.foreground_labels = 20}), {.probabilities = true}},
      {"Postprocessing", Bundle({.postprocessing = kRules})},
      {"RegionsOfTheImage",
       Bundle({.foreground_labels = 20}),
       {},
       {{{{10, 10, 10}}, {{30, 30, 30}}}, {{{50, 50, 50}}, {{70, 75, 80}}}}},
      {"Cascade",
       Bundle({.name = "high",
               .configuration = "3d_cascade_fullres",
               .previous_configuration = "3d_lowres",
               .previous_stage = {{.name = "low", .version = 1}}}),
       {},
       {},
       {low}},
      {"Ensemble",
       {.name = "both"},
       {},
       {},
       {Bundle({.name = "first"}), Bundle({.name = "second", .spacing_mm = 1.5})}},
  };
}

INSTANTIATE_TEST_SUITE_P(Of, PeakMemory, testing::ValuesIn(Kinds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace nnseg
