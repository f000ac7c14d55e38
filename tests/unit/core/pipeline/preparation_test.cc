#include "core/pipeline/preparation.h"

#include <gmock/gmock.h>

#include <map>

#include "core/pipeline/pipeline.h"
#include "core/preprocess/preprocessing_key.h"
#include "tests/support/recording_observer.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/pipeline/tiny_case.h"

namespace nnseg {
namespace {

constexpr Shape3 kShape{{14, 12, 10}};

// Keeps all it is offered.
struct MapCache : PreparedCache {
  std::shared_ptr<const PreparedCase> Find(const std::string& key) override {
    const auto found = forms.find(key);
    return found == forms.end() ? nullptr : found->second;
  }
  void Offer(const std::string& key, std::shared_ptr<const PreparedCase> prepared) override {
    forms[key] = std::move(prepared);
  }
  std::map<std::string, std::shared_ptr<const PreparedCase>> forms;
};

TEST(Preparation, SecondCaseTakesTheFirstOnesFromTheCache) {
  const auto model = LoadTinyModel();
  const auto cache = std::make_shared<MapCache>();
  const auto run = [&](RecordingObserver& observer) {
    SegmentationCase segmentation_case = MakeCase(model, kShape, 2);
    segmentation_case.prepared_cache = cache;
    return Segment(std::move(segmentation_case), observer);
  };
  RecordingObserver first(kShape);
  const auto first_summary = run(first);
  NNSEG_ASSERT_OK(first_summary);
  EXPECT_GT(first_summary->stage_seconds.at(Stage::kPreprocess), 0);
  ASSERT_EQ(cache->forms.size(), 1);
  EXPECT_EQ(cache->forms.begin()->first, PreprocessingKey(model->bundle().plan));

  RecordingObserver second(kShape);
  const auto second_summary = run(second);
  NNSEG_ASSERT_OK(second_summary);
  EXPECT_EQ(second_summary->stage_seconds.at(Stage::kPreprocess), 0);
  EXPECT_EQ(CountDifferent<uint16_t>(first.labels.voxels(), second.labels.voxels()), 0);
  EXPECT_EQ(first.labelled_box, second.labelled_box);
}

TEST(Preparation, PreparedImageIsTheCachesOwn) {
  const auto model = LoadTinyModel();
  SegmentationCase segmentation_case = MakeCase(model, kShape);
  const auto cache = std::make_shared<MapCache>();
  segmentation_case.prepared_cache = cache;
  const auto made = PrepareFor(*model, segmentation_case, nullptr);
  const auto found = PrepareFor(*model, segmentation_case, nullptr);
  NNSEG_ASSERT_OK(made);
  NNSEG_ASSERT_OK(found);
  EXPECT_EQ(made->prepared, found->prepared);
}

TEST(Preparation, VoxelsAreLetGoOncePrepared) {
  SegmentationCase segmentation_case = MakeCase(LoadTinyModel(), kShape);
  const std::weak_ptr<const VoxelBuffer> voxels = segmentation_case.voxels;
  RecordingObserver observer(kShape);
  NNSEG_ASSERT_OK(Prepare(segmentation_case, observer));
  EXPECT_TRUE(voxels.expired());
}

TEST(Preparation, FailureIsNotKept) {
  SegmentationCase segmentation_case = MakeCase(LoadTinyModel(), kShape);
  const auto cache = std::make_shared<MapCache>();
  segmentation_case.prepared_cache = cache;
  segmentation_case.token.Cancel();
  EXPECT_THAT(PrepareFor(*segmentation_case.model, segmentation_case, nullptr),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_TRUE(cache->forms.empty());
}

TEST(Preparation, WithLabelsOfAPreviousStageNothingIsKept) {
  TinyBundleOptions options;
  options.configuration = "3d_cascade_fullres";
  options.previous_configuration = "3d_lowres";
  const auto model = LoadTinyModel(options);
  SegmentationCase segmentation_case = MakeCase(model, kShape);
  const auto cache = std::make_shared<MapCache>();
  segmentation_case.prepared_cache = cache;
  const auto labels = Volume<uint16_t>::Filled(1, kShape, 1);
  NNSEG_ASSERT_OK(PrepareFor(*model, segmentation_case, &labels));
  EXPECT_TRUE(cache->forms.empty());
}

}  // namespace
}  // namespace nnseg
