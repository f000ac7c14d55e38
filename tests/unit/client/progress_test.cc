#include "client/progress.h"

#include <cstdio>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nnseg {
namespace {

namespace pb = ::segmentation::v1;

pb::Progress At(pb::Stage stage, int64_t done = 0, int64_t total = 0) {
  pb::Progress progress;
  progress.set_stage(stage);
  progress.set_tiles_done(done);
  progress.set_tiles_total(total);
  return progress;
}

TEST(FormatDuration, MinutesAndHours) {
  EXPECT_EQ(FormatDuration(6.6), "0:07");
  EXPECT_EQ(FormatDuration(754), "12:34");
  EXPECT_EQ(FormatDuration(3723), "1:02:03");
  EXPECT_EQ(FormatDuration(-1), "0:00");
}

TEST(FormatProgress, ShowsStageTilesAndTimeLeft) {
  pb::Progress progress = At(pb::STAGE_INFER, 96, 192);
  progress.mutable_time_left()->set_seconds(65);
  EXPECT_EQ(FormatProgress(progress, 0), "network     50 %  96/192 tiles  1:05 left");
  EXPECT_EQ(FormatProgress(progress, 64),
            "network    [==========>         ]  50 %  96/192 tiles  1:05 left");
}

TEST(FormatProgress, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(FormatProgress(At(pb::STAGE_QUEUED), 0), "queued");
  EXPECT_EQ(FormatProgress(At(static_cast<pb::Stage>(99)), 0), "working");
}

TEST(FormatProgress, NeverExceedsItsWidth) {
  pb::Progress progress = At(pb::STAGE_INFER, 123456, 234567);
  progress.mutable_time_left()->set_seconds(65000);
  for (int width = 1; width < 150; ++width) {
    EXPECT_LE(FormatProgress(progress, width).size(), static_cast<std::size_t>(width));
  }
}

TEST(FormatProgress, AFullBarHasNoHead) {
  EXPECT_THAT(FormatProgress(At(pb::STAGE_INFER, 8, 8), 60), testing::HasSubstr("=] 100 %"));
}

TEST(ProgressDisplay, AFileGetsOneLineForEachStageAndTenth) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  {
    ProgressDisplay display(file);
    display.Show(At(pb::STAGE_PREPROCESS));
    display.Show(At(pb::STAGE_PREPROCESS));
    for (int done = 0; done <= 100; ++done) display.Show(At(pb::STAGE_INFER, done, 100));
  }
  std::rewind(file);
  int lines = 0;
  for (int c = 0; (c = std::fgetc(file)) != EOF;) {
    EXPECT_NE(c, '\r');
    lines += c == '\n' ? 1 : 0;
  }
  std::fclose(file);
  EXPECT_EQ(lines, 1 + 11);
}

}  // namespace
}  // namespace nnseg
