// Regions of an image through the pipeline, against the whole image.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <random>

#include "core/model/model_repository.h"
#include "core/pipeline/case_check.h"
#include "core/pipeline/pipeline.h"
#include "tests/support/recording_observer.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/pipeline/tiny_case.h"

namespace nnseg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Shape3 kShape{{26, 22, 24}};
constexpr int64_t kBorder = 3;
const Box3 kCrop{{{3, 3, 3}}, {{23, 19, 21}}};

const char* const kRules = R"({
  "postprocessing_fns": ["remove_all_but_largest_component_from_segmentation"],
  "postprocessing_kwargs": [{"labels_or_regions": [1]}]})";

// Notes when two calls come at a time.
class SerialObserver : public RecordingObserver {
 public:
  SerialObserver() : RecordingObserver(kShape) {}
  void OnStage(Stage stage) override {
    const Call call(*this);
    RecordingObserver::OnStage(stage);
  }
  void OnProgress(int64_t done, int64_t total) override {
    const Call call(*this);
    EXPECT_EQ(done, passes_done + 1);
    RecordingObserver::OnProgress(done, total);
  }
  absl::Status OnLabels(LabelBlock block) override {
    const Call call(*this);
    return RecordingObserver::OnLabels(std::move(block));
  }
  absl::Status OnProbabilities(ProbabilityBlock block) override {
    const Call call(*this);
    return RecordingObserver::OnProbabilities(std::move(block));
  }

 private:
  struct Call {
    explicit Call(SerialObserver& observer) : observer(observer) {
      EXPECT_EQ(observer.calls_.fetch_add(1), 0);
    }
    ~Call() { observer.calls_.fetch_sub(1); }
    SerialObserver& observer;
  };
  std::atomic<int> calls_{0};
};

// The probabilities of all blocks in one image, -1 where there are none.
Volume<float> Probabilities(const RecordingObserver& observer) {
  auto image = Volume<float>::Filled(3, kShape, -1);
  for (const ProbabilityBlock& block : observer.probabilities) {
    const Shape3 shape = block.box.shape();
    for (int64_t i = 0; i < block.values.size(); ++i) {
      const int64_t v = i % shape.voxels();
      const Index3 at{{v / (shape[1] * shape[2]), v / shape[2] % shape[1], v % shape[2]}};
      image.at(i / shape.voxels(), block.box.begin + at) = block.values.voxels()[i];
    }
  }
  return image;
}

class Regions : public testing::Test {
 protected:
  std::shared_ptr<const LoadedModel> Load(const std::string& name) {
    NNSEG_EXPECT_OK(repository_.Load(name, 0));
    auto model = repository_.Borrow(name, 0);
    NNSEG_EXPECT_OK(model);
    return *model;
  }

  SegmentationSummary Run(const std::shared_ptr<const LoadedModel>& model,
                          const SegmentationOptions& options, const std::vector<Box3>& regions,
                          RecordingObserver& observer) {
    SegmentationCase segmentation_case = MakeCase(model, kShape, kBorder);
    segmentation_case.options = options;
    segmentation_case.regions = regions;
    auto summary = Segment(std::move(segmentation_case), observer);
    NNSEG_EXPECT_OK(summary);
    return summary.ok() ? *std::move(summary) : SegmentationSummary();
  }

  // Runs regions and whole and compares all that is said of voxels.
  void ExpectTheWholesVoxels(const std::shared_ptr<const LoadedModel>& model,
                             SegmentationOptions options, const std::vector<Box3>& regions) {
    options.postprocess = false;
    RecordingObserver whole(kShape);
    Run(model, options, {}, whole);
    options.postprocess = std::nullopt;
    SerialObserver part;
    const SegmentationSummary summary = Run(model, options, regions, part);
    EXPECT_EQ(part.passes_done, part.passes_total);
    EXPECT_EQ(summary.passes, part.passes_total);
    EXPECT_EQ(part.labelled_box, summary.labelled_box);
    EXPECT_FALSE(summary.postprocessed);
    const Volume<float> whole_probabilities = Probabilities(whole);
    const Volume<float> part_probabilities = Probabilities(part);
    std::map<int, int64_t> voxels;
    for (int64_t z = 0; z < kShape[0]; ++z) {
      for (int64_t y = 0; y < kShape[1]; ++y) {
        for (int64_t x = 0; x < kShape[2]; ++x) {
          const Index3 at{{z, y, x}};
          const Box3 voxel{at, at + Index3{{1, 1, 1}}};
          const bool inside = std::ranges::any_of(regions, [&](const Box3& region) {
            return !Intersection(Intersection(region, kCrop), voxel).empty();
          });
          const uint16_t expected = inside ? whole.labels.at(0, at) : 0;
          ASSERT_EQ(part.coverage.at(0, at), inside ? 1 : 0) << z << " " << y << " " << x;
          ASSERT_EQ(part.labels.at(0, at), expected) << z << " " << y << " " << x;
          for (int64_t c = 0; options.probabilities && c < 3; ++c) {
            ASSERT_EQ(part_probabilities.at(c, at), inside ? whole_probabilities.at(c, at) : -1);
          }
          ++voxels[expected];
        }
      }
    }
    for (const auto& [label, count] : summary.voxels_per_label) {
      EXPECT_EQ(count, voxels[label]) << label;
    }
  }

  Box3 DrawBox(const Box3& within) {
    Box3 box;
    for (int axis = 0; axis < 3; ++axis) {
      const auto draw = [&](int64_t least, int64_t most) {
        return std::uniform_int_distribution<int64_t>(least, most)(random_);
      };
      box.begin[axis] = draw(within.begin[axis], within.end[axis] - 1);
      box.end[axis] = draw(box.begin[axis] + 1, within.end[axis]);
    }
    return box;
  }

  // One to six disjoint boxes of slices.
  std::vector<Box3> DrawRegions() {
    std::vector<Box3> regions;
    const int64_t count = std::uniform_int_distribution<int64_t>(1, 6)(random_);
    for (int64_t i = 0; i < count; ++i) {
      Box3 slices = Box3::Whole(kShape);
      slices.begin[0] = kShape[0] * i / count;
      slices.end[0] = kShape[0] * (i + 1) / count;
      regions.push_back(DrawBox(slices));
    }
    return regions;
  }

  void ExpectTheWholesVoxelsOfRandomRegions(const std::shared_ptr<const LoadedModel>& model) {
    for (int i = 0; i < 6; ++i) {
      SCOPED_TRACE(i);
      ExpectTheWholesVoxels(model, {.probabilities = i % 2 == 1}, DrawRegions());
    }
  }

  TemporaryFolder folder_;
  ModelRepository repository_{
      folder_.path(), {{std::make_shared<FakeNetworkLoader>(), std::make_shared<TileScheduler>()}}};
  std::mt19937 random_{3};
};

TEST_F(Regions, OfOneModelHaveTheWholesVoxels) {
  ExpectTheWholesVoxelsOfRandomRegions(LoadTinyModel({.mirroring_axes = {0}}));
}

TEST_F(Regions, OfAResampledModelHaveTheWholesVoxels) {
  ExpectTheWholesVoxelsOfRandomRegions(
      LoadTinyModel({.mirroring_axes = {}, .spacing_mm = 1.7, .transpose_forward = {2, 0, 1}}));
}

TEST_F(Regions, OfAModelOfSlicesHaveTheWholesVoxels) {
  ExpectTheWholesVoxelsOfRandomRegions(LoadTinyModel({.configuration = "2d",
                                                      .mirroring_axes = {2},
                                                      .patch_dimensions = 2,
                                                      .patch_size = {{1, 8, 8}},
                                                      .spacing_mm = 1.3}));
}

TEST_F(Regions, OfACascadeHaveTheWholesVoxels) {
  WriteTinyBundle(
      folder_.path(),
      {.name = "low", .configuration = "3d_lowres", .mirroring_axes = {}, .spacing_mm = 2.0});
  WriteTinyBundle(folder_.path(), {.name = "high",
                                   .configuration = "3d_cascade_fullres",
                                   .mirroring_axes = {},
                                   .previous_configuration = "3d_lowres",
                                   .previous_stage = {{.name = "low", .version = 1}}});
  ExpectTheWholesVoxelsOfRandomRegions(Load("high"));
}

TEST_F(Regions, OfAnEnsembleHaveTheWholesVoxels) {
  WriteTinyBundle(folder_.path(), {.name = "fine", .mirroring_axes = {}});
  WriteTinyBundle(
      folder_.path(),
      {.name = "coarse", .mirroring_axes = {}, .spacing_mm = 1.5, .transpose_forward = {0, 1, 2}});
  WriteTinyEnsemble(folder_.path(), "both", {{"coarse", 1}, {"fine", 1}});
  ExpectTheWholesVoxelsOfRandomRegions(Load("both"));
}

TEST_F(Regions, RunOnlyTheTilesThatTouchThem) {
  // Internal axes are (y, z, x), the crop is 16 x 20 x 18 and tiles of 8 start every 4 voxels or
  // less: at 0 4 8, 0 4 8 12 and 0 3 7 10.
  const auto model = LoadTinyModel({.folds = {"0"}, .mirroring_axes = {0, 1}});
  RecordingObserver corner(kShape);
  EXPECT_EQ(Run(model, {}, {{{{0, 0, 0}}, {{4, 4, 4}}}}, corner).tiles, 1);
  EXPECT_EQ(corner.passes_total, 4);
  EXPECT_THAT(corner.labelled_boxes, ElementsAre(Box3{{{3, 3, 3}}, {{4, 4, 4}}}));
  RecordingObserver middle(kShape);
  EXPECT_EQ(Run(model, {}, {{{{8, 8, 8}}, {{9, 9, 9}}}}, middle).tiles, 2 * 2 * 2);
  RecordingObserver both(kShape);
  EXPECT_EQ(Run(model, {}, {{{{0, 0, 0}}, {{4, 4, 4}}}, {{{8, 8, 8}}, {{9, 9, 9}}}}, both).tiles,
            1 + 2 * 2 * 2);
}

TEST_F(Regions, OutsideOfTheCropAreBackgroundWithoutAPass) {
  SerialObserver observer;
  const SegmentationSummary summary =
      Run(LoadTinyModel(), {}, {{{{0, 0, 0}}, {{3, 22, 24}}}}, observer);
  EXPECT_EQ(summary.passes, 0);
  EXPECT_EQ(summary.engine, "fake");
  EXPECT_EQ(observer.results_begun, 1);
  EXPECT_TRUE(observer.labelled_boxes.empty());
  EXPECT_EQ(observer.blocks, 0);
  EXPECT_EQ(summary.voxels_per_label.at(0), kShape.voxels());
}

TEST_F(Regions, AreNotPostprocessed) {
  const auto model = LoadTinyModel({.mirroring_axes = {}, .postprocessing = kRules});
  ExpectTheWholesVoxels(model, {}, {{{{4, 4, 4}}, {{20, 20, 20}}}});
  EXPECT_THAT(ValidateOptions(*model, {.postprocess = true}, false, /*has_regions=*/true),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("with regions")));
  NNSEG_EXPECT_OK(ValidateOptions(*model, {.postprocess = false}, false, /*has_regions=*/true));
  NNSEG_EXPECT_OK(ValidateOptions(*model, {.postprocess = true}, false));
}

TEST_F(Regions, OneThatFailsEndsTheCase) {
  SegmentationCase segmentation_case = MakeCase(
      LoadTinyModel(
          {},
          [](FakePatchNetwork& network) { network.FailFrom(20, absl::InternalError("broken")); }),
      kShape);
  segmentation_case.regions = DrawRegions();
  segmentation_case.regions.push_back({{{0, 0, 0}}, {{1, 1, 1}}});
  RecordingObserver observer(kShape);
  EXPECT_THAT(Segment(std::move(segmentation_case), observer),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("broken")));
}

TEST_F(Regions, TakeMemoryForThoseThatRunAtOnce) {
  const auto model = LoadTinyModel({.mirroring_axes = {}, .foreground_labels = 200});
  const auto bytes = [&](int regions) {
    std::vector<Box3> boxes;
    for (int64_t i = 0; i < regions; ++i) boxes.push_back({{{3 * i, 8, 8}}, {{3 * i + 3, 11, 11}}});
    return EstimateWorkingBytes(*model, {}, false, PixelType::kInt16, {{40, 80, 80}}, {{1, 1, 1}},
                                boxes)
        ->host;
  };
  EXPECT_LT(bytes(1), bytes(2));
  EXPECT_LT(bytes(3), bytes(4));
  EXPECT_EQ(bytes(4), bytes(5));
  EXPECT_LT(bytes(4), bytes(0));
}

}  // namespace
}  // namespace nnseg
