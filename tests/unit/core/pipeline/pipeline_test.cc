#include "core/pipeline/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/recording_observer.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/pipeline/tiny_case.h"

namespace nnseg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Shape3 kShape{{14, 12, 10}};

TEST(Pipeline, LabelBlocksCoverTheCropBoxOnce) {
  RecordingObserver observer(kShape);
  const auto summary = Segment(MakeCase(LoadTinyModel(), kShape, 2), observer);
  NNSEG_ASSERT_OK(summary);
  const Box3 inner{{{2, 2, 2}}, {{12, 10, 8}}};
  EXPECT_EQ(observer.labelled_box, inner);
  EXPECT_EQ(summary->labelled_box, inner);
  EXPECT_EQ(observer.results_begun, 1);
  for (int64_t z = 0; z < kShape[0]; ++z) {
    for (int64_t y = 0; y < kShape[1]; ++y) {
      for (int64_t x = 0; x < kShape[2]; ++x) {
        const Index3 voxel{{z, y, x}};
        bool inside = true;
        for (int i = 0; i < 3; ++i) inside &= voxel[i] >= inner.begin[i] && voxel[i] < inner.end[i];
        ASSERT_EQ(observer.coverage.at(0, voxel), inside ? 1 : 0) << z << " " << y << " " << x;
      }
    }
  }
}

TEST(Pipeline, StagesComeInOrder) {
  RecordingObserver observer(kShape);
  NNSEG_ASSERT_OK(Segment(MakeCase(LoadTinyModel(), kShape), observer));
  EXPECT_THAT(observer.stages, ElementsAre(Stage::kPreprocess, Stage::kInfer, Stage::kRestore));
}

TEST(Pipeline, SummarySaysWhatWasDone) {
  RecordingObserver observer(kShape);
  const auto summary = Segment(MakeCase(LoadTinyModel(), kShape), observer);
  NNSEG_ASSERT_OK(summary);
  EXPECT_EQ(summary->engine, "fake");
  EXPECT_THAT(summary->folds, ElementsAre("0", "1"));
  EXPECT_THAT(summary->mirroring_axes, ElementsAre(0, 1, 2));
  // Patches of 8 over 12 x 14 x 10 (internal axes) at step 4: 2 x 3 x 2 tiles, 8 mirrors, 2 folds.
  EXPECT_EQ(summary->tiles, 12);
  EXPECT_EQ(summary->passes, 192);
  EXPECT_EQ(observer.passes_done, 192);
  int64_t voxels = 0;
  for (const auto& [label, count] : summary->voxels_per_label) {
    voxels += count;
    EXPECT_EQ(count, std::ranges::count(observer.labels.voxels(), label)) << label;
  }
  EXPECT_EQ(voxels, kShape.voxels());
}

TEST(Pipeline, FoldsAndMirroringAreTheRequests) {
  RecordingObserver observer(kShape);
  SegmentationCase segmentation_case = MakeCase(LoadTinyModel(), kShape);
  segmentation_case.options.folds = {"1"};
  segmentation_case.options.use_mirroring = false;
  segmentation_case.options.tile_step_size = 1.0;
  const auto summary = Segment(std::move(segmentation_case), observer);
  NNSEG_ASSERT_OK(summary);
  EXPECT_THAT(summary->folds, ElementsAre("1"));
  EXPECT_THAT(summary->mirroring_axes, ElementsAre());
  EXPECT_EQ(summary->passes, 8);
}

TEST(Pipeline, TransposingModelAndImageAlikeTransposesLabels) {
  // One model sees axes (1, 0, 2), the other (0, 1, 2): with a cubic image that is symmetric under
  // the exchange of its first two axes the label maps must be each other's transpose.
  TinyBundleOptions straight;
  straight.transpose_forward = {0, 1, 2};
  constexpr Shape3 kCube{{12, 12, 12}};
  const auto symmetric = [&](std::shared_ptr<const LoadedModel> model) {
    SegmentationCase result = MakeCase(std::move(model), kCube);
    const Volume<float> image = result.voxels->ToFloat();
    auto voxels = VoxelBuffer::Allocate(PixelType::kFloat32, 1, kCube).value();
    auto* out = reinterpret_cast<float*>(voxels.bytes().data());
    for (int64_t z = 0; z < 12; ++z) {
      for (int64_t y = 0; y < 12; ++y) {
        for (int64_t x = 0; x < 12; ++x) {
          *out++ = image.at(0, {{std::min(z, y), std::max(z, y), x}});
        }
      }
    }
    result.voxels = std::make_shared<const VoxelBuffer>(std::move(voxels));
    return result;
  };
  RecordingObserver swapped(kCube);
  RecordingObserver plain(kCube);
  NNSEG_ASSERT_OK(Segment(symmetric(LoadTinyModel()), swapped));
  NNSEG_ASSERT_OK(Segment(symmetric(LoadTinyModel(straight)), plain));
  for (int64_t z = 0; z < 12; ++z) {
    for (int64_t y = 0; y < 12; ++y) {
      for (int64_t x = 0; x < 12; ++x) {
        ASSERT_EQ(swapped.labels.at(0, {{y, z, x}}), plain.labels.at(0, {{z, y, x}}));
      }
    }
  }
  EXPECT_GT(std::ranges::count(plain.labels.voxels(), 1), 0);
}

TEST(Pipeline, AllZeroImageIsSegmentedWhole) {
  RecordingObserver observer(kShape);
  const auto summary = Segment(MakeCase(LoadTinyModel(), kShape, 14), observer);
  NNSEG_ASSERT_OK(summary);
  EXPECT_EQ(observer.labelled_box, Box3::Whole(kShape));
}

TEST(Pipeline, CancelledCaseStopsBeforeTheNextPass) {
  const CancellationToken token;
  int passes = 0;
  auto model = LoadTinyModel({}, [&](FakePatchNetwork& network) {
    network.OnRun([&](int) {
      if (++passes == 7) token.Cancel();
    });
  });
  passes = 0;  // forget the warm-up
  SegmentationCase segmentation_case = MakeCase(std::move(model), kShape);
  segmentation_case.token = token;
  RecordingObserver observer(kShape);
  EXPECT_THAT(Segment(std::move(segmentation_case), observer),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(passes, 7);
}

TEST(Pipeline, PassedDeadlineEndsTheCase) {
  SegmentationCase segmentation_case = MakeCase(LoadTinyModel(), kShape);
  segmentation_case.token = CancellationToken(CancellationToken::Clock::now());
  RecordingObserver observer(kShape);
  EXPECT_THAT(Segment(std::move(segmentation_case), observer),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(Pipeline, FailureOfTheReceiverEndsTheCase) {
  RecordingObserver observer(kShape);
  observer.label_status = absl::AbortedError("gone");
  EXPECT_THAT(Segment(MakeCase(LoadTinyModel(), kShape), observer),
              StatusIs(absl::StatusCode::kAborted, "gone"));
  EXPECT_EQ(observer.blocks, 1);
}

TEST(Pipeline, FailureOfTheNetworkEndsTheCase) {
  auto model = LoadTinyModel({}, [](FakePatchNetwork& network) {
    network.FailFrom(3, absl::InternalError("engine broke"));
  });
  RecordingObserver observer(kShape);
  EXPECT_THAT(Segment(MakeCase(std::move(model), kShape), observer),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("engine broke")));
}

}  // namespace
}  // namespace nnseg
