// Cascades, ensembles, post-processing, regions, slices and probabilities through the pipeline.
#include <gmock/gmock.h>

#include <algorithm>

#include "core/ensemble/probability_ensemble.h"
#include "core/model/model_repository.h"
#include "core/pipeline/case_check.h"
#include "core/pipeline/pipeline.h"
#include "core/postprocess/postprocessing_chain.h"
#include "tests/support/recording_observer.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/pipeline/tiny_case.h"

namespace nnseg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Shape3 kShape{{14, 12, 10}};
constexpr int64_t kBorder = 2;

const char* const kRules = R"({
  "postprocessing_fns": ["remove_all_but_largest_component_from_segmentation"],
  "postprocessing_kwargs": [{"labels_or_regions": [1]}]})";

class KindsOfModels : public testing::Test {
 protected:
  std::shared_ptr<const LoadedModel> Load(const std::string& name) {
    NNSEG_EXPECT_OK(repository_.Load(name, 0));
    auto model = repository_.Borrow(name, 0);
    NNSEG_EXPECT_OK(model);
    return *model;
  }

  // Segments with `model`; fails the test when that fails.
  RecordingObserver Run(const std::shared_ptr<const LoadedModel>& model,
                        const SegmentationOptions& options = {},
                        std::optional<Volume<uint16_t>> previous_labels = std::nullopt) {
    RecordingObserver observer(kShape);
    SegmentationCase segmentation_case = MakeCase(model, kShape, kBorder);
    segmentation_case.options = options;
    segmentation_case.previous_labels = std::move(previous_labels);
    auto summary = Segment(std::move(segmentation_case), observer);
    NNSEG_EXPECT_OK(summary);
    if (summary.ok()) summary_ = *std::move(summary);
    return observer;
  }

  void WriteCascade(bool names_its_stage) {
    WriteTinyBundle(
        folder_.path(),
        {.name = "low", .configuration = "3d_lowres", .mirroring_axes = {}, .spacing_mm = 2.0});
    TinyBundleOptions cascade{.name = "high",
                              .configuration = "3d_cascade_fullres",
                              .mirroring_axes = {},
                              .previous_configuration = "3d_lowres"};
    if (names_its_stage) cascade.previous_stage = {{.name = "low", .version = 1}};
    WriteTinyBundle(folder_.path(), cascade);
  }

  TemporaryFolder folder_;
  ModelRepository repository_{
      folder_.path(), {{std::make_shared<FakeNetworkLoader>(), std::make_shared<TileScheduler>()}}};
  SegmentationSummary summary_;
};

TEST_F(KindsOfModels, CascadeRunsItsPreviousStageItself) {
  WriteCascade(/*names_its_stage=*/true);
  RecordingObserver low = Run(Load("low"));
  const int64_t low_passes = summary_.passes;
  const RecordingObserver both = Run(Load("high"));
  const int64_t both_passes = summary_.passes;
  const RecordingObserver high = Run(Load("high"), {}, std::move(low.labels));
  EXPECT_EQ(both_passes, low_passes + summary_.passes);
  EXPECT_EQ(both.passes_total, both_passes);
  EXPECT_EQ(both.passes_done, both_passes);
  EXPECT_TRUE(std::ranges::equal(both.labels.voxels(), high.labels.voxels()));
  EXPECT_THAT(both.stages, ElementsAre(Stage::kPreprocess, Stage::kInfer, Stage::kRestore,
                                       Stage::kPreprocess, Stage::kInfer, Stage::kRestore));
}

TEST_F(KindsOfModels, PreviousLabelsMatter) {
  WriteCascade(/*names_its_stage=*/true);
  const RecordingObserver nothing = Run(Load("high"), {}, Volume<uint16_t>::Filled(1, kShape, 0));
  const RecordingObserver all = Run(Load("high"), {}, Volume<uint16_t>::Filled(1, kShape, 1));
  EXPECT_FALSE(std::ranges::equal(nothing.labels.voxels(), all.labels.voxels()));
}

TEST_F(KindsOfModels, CascadeWithoutAStageNeedsTheRequestsLabels) {
  WriteCascade(/*names_its_stage=*/false);
  const auto model = Load("high");
  EXPECT_THAT(ValidateOptions(*model, {}, false),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("3d_lowres are missing")));
  NNSEG_EXPECT_OK(ValidateOptions(*model, {}, true));
}

TEST_F(KindsOfModels, EnsembleAveragesItsMembersProbabilities) {
  WriteTinyBundle(folder_.path(), {.name = "fine", .mirroring_axes = {}});
  WriteTinyBundle(
      folder_.path(),
      {.name = "coarse", .mirroring_axes = {}, .spacing_mm = 1.5, .transpose_forward = {0, 1, 2}});
  WriteTinyEnsemble(folder_.path(), "both", {{"coarse", 1}, {"fine", 1}});
  const auto ensemble = Load("both");
  const SegmentationOptions options{.probabilities = true};
  const RecordingObserver both = Run(ensemble, options);
  EXPECT_EQ(both.passes_done, summary_.passes);

  ProbabilityEnsemble mean(both.labelled_box, 3, 2);
  for (const char* member : {"coarse", "fine"}) {
    for (const ProbabilityBlock& block : Run(Load(member), options).probabilities) mean.Add(block);
  }
  const ProbabilityBlock expected = mean.Mean(0, both.labelled_box.shape()[0]);
  int64_t compared = 0;
  for (const ProbabilityBlock& block : both.probabilities) {
    const Shape3 shape = block.box.shape();
    for (int64_t c = 0; c < 3; ++c) {
      for (int64_t z = 0; z < shape[0]; ++z) {
        for (int64_t y = 0; y < shape[1]; ++y) {
          for (int64_t x = 0; x < shape[2]; ++x) {
            const Index3 voxel{{z, y, x}};
            ASSERT_EQ(block.values.at(c, voxel),
                      expected.values.at(c, block.box.begin - expected.box.begin + voxel));
            ++compared;
          }
        }
      }
    }
  }
  EXPECT_EQ(compared, expected.values.size());
  auto labels = Volume<uint16_t>::Filled(1, kShape, 0);
  PasteLabels(LabelsOf(ensemble->bundle().plan.labels, expected), Box3::Whole(kShape), labels);
  EXPECT_TRUE(std::ranges::equal(both.labels.voxels(), labels.voxels()));
}

TEST_F(KindsOfModels, PostprocessingIsTheDefaultWhereThereAreRules) {
  WriteTinyBundle(folder_.path(), {.mirroring_axes = {}, .postprocessing = kRules});
  const auto model = Load("tiny");
  RecordingObserver plain = Run(model, {.postprocess = false});
  EXPECT_FALSE(summary_.postprocessed);
  const RecordingObserver processed = Run(model);
  EXPECT_TRUE(summary_.postprocessed);
  EXPECT_EQ(processed.stages.back(), Stage::kPostprocess);
  EXPECT_EQ(processed.provisional_blocks, 0);
  EXPECT_EQ(std::ranges::max(processed.coverage.voxels()), 1);

  NNSEG_ASSERT_OK(
      ApplyPostprocessing(model->bundle().postprocessing, CancellationToken(), plain.labels));
  EXPECT_TRUE(std::ranges::equal(processed.labels.voxels(), plain.labels.voxels()));
  for (const auto& [label, count] : summary_.voxels_per_label) {
    EXPECT_EQ(count, std::ranges::count(processed.labels.voxels(), label)) << label;
  }
}

TEST_F(KindsOfModels, ProvisionalLabelsComeBeforeFinalOnes) {
  WriteTinyBundle(folder_.path(), {.mirroring_axes = {}, .postprocessing = kRules});
  const RecordingObserver observer = Run(Load("tiny"), {.provisional_labels = true});
  EXPECT_GT(observer.provisional_blocks, 0);
  EXPECT_GT(observer.blocks, 0);
  EXPECT_EQ(observer.results_begun, 1);
  EXPECT_EQ(std::ranges::max(observer.coverage.voxels()), 1);
}

TEST_F(KindsOfModels, WithoutRulesNothingIsProvisional) {
  WriteTinyBundle(folder_.path(), {.mirroring_axes = {}});
  const RecordingObserver observer = Run(Load("tiny"), {.provisional_labels = true});
  EXPECT_EQ(observer.provisional_blocks, 0);
}

TEST_F(KindsOfModels, ProbabilitiesOfLabelsSumToOne) {
  WriteTinyBundle(folder_.path(), {.mirroring_axes = {}});
  const RecordingObserver observer = Run(Load("tiny"), {.probabilities = true});
  int64_t voxels = 0;
  for (const ProbabilityBlock& block : observer.probabilities) {
    const int64_t count = block.box.shape().voxels();
    voxels += count;
    for (int64_t i = 0; i < count; ++i) {
      float sum = 0;
      for (int64_t c = 0; c < 3; ++c) sum += block.values.channel(c)[static_cast<std::size_t>(i)];
      ASSERT_NEAR(sum, 1, 1e-6);
    }
  }
  EXPECT_EQ(voxels, observer.labelled_box.shape().voxels());
}

TEST_F(KindsOfModels, RegionsArePaintedOverEachOther) {
  WriteTinyBundle(folder_.path(), {.mirroring_axes = {}, .regions = {{1, 2}, {2}}});
  const RecordingObserver observer = Run(Load("tiny"), {.probabilities = true});
  for (const ProbabilityBlock& block : observer.probabilities) {
    ASSERT_EQ(block.values.channels(), 2);
    const Shape3 shape = block.box.shape();
    for (int64_t z = 0; z < shape[0]; ++z) {
      for (int64_t y = 0; y < shape[1]; ++y) {
        for (int64_t x = 0; x < shape[2]; ++x) {
          const Index3 voxel{{z, y, x}};
          const int expected = block.values.at(1, voxel) > 0.5F   ? 2
                               : block.values.at(0, voxel) > 0.5F ? 1
                                                                  : 0;
          ASSERT_EQ(observer.labels.at(0, block.box.begin + voxel), expected);
        }
      }
    }
  }
  EXPECT_GT(std::ranges::count(observer.labels.voxels(), 2), 0);
}

TEST_F(KindsOfModels, SlicesAreSegmentedOneByOne) {
  WriteTinyBundle(folder_.path(), {.mirroring_axes = {1, 2},
                                   .patch_dimensions = 2,
                                   .patch_size = {{1, 8, 8}},
                                   .transpose_forward = {0, 1, 2}});
  const RecordingObserver observer = Run(Load("tiny"));
  const Shape3 box = observer.labelled_box.shape();
  // 10 slices of 8 x 6, each one padded patch, 4 mirrors, 2 folds.
  EXPECT_EQ(summary_.tiles, box[0]);
  EXPECT_EQ(summary_.passes, box[0] * 4 * 2);
  EXPECT_THAT(summary_.mirroring_axes, ElementsAre(1, 2));
}

}  // namespace
}  // namespace nnseg
