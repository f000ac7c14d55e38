#include <CLI/CLI.hpp>

#include "client/commands/bench.h"
#include "client/commands/compare.h"
#include "client/commands/models.h"
#include "client/commands/segment.h"
#include "client/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/tiny_bundle.h"
#include "tests/unit/client/image_files.h"

namespace nnseg {
namespace {

namespace pb = ::segmentation::v1;
using testing::ElementsAre;
using testing::HasSubstr;

/// Parses a `segment` command line into `arguments`; throws CLI::ParseError.
void Parse(const std::string& line, SegmentArguments& arguments) {
  CLI::App app;
  DefineSegment(*app.add_subcommand("segment"), arguments);
  app.parse("segment " + line);
}

TEST(SegmentCommand, DefaultsLeaveTheChoiceToTheServer) {
  SegmentArguments arguments;
  Parse("scan.nii.gz --model m --output out.nii.gz", arguments);
  EXPECT_THAT(arguments.inputs, ElementsAre("scan.nii.gz"));
  EXPECT_EQ(arguments.output, "out.nii.gz");
  EXPECT_EQ(arguments.prediction.model.name(), "m");
  EXPECT_EQ(arguments.prediction.options.ByteSizeLong(), 0U);
  EXPECT_EQ(arguments.connection.server, "localhost:8001");
  EXPECT_FALSE(arguments.connection.tls.enabled());
  EXPECT_FALSE(arguments.connection.timeout().has_value());
}

TEST(SegmentCommand, EveryOptionReachesTheRequest) {
  SegmentArguments arguments;
  Parse(
      "a.mha b.mha --server host:9 --model m --model-version 2 --output out.nrrd --engine torch "
      "--folds 0,all --no-tta --no-gaussian --step-size 0.75 --postprocess on --deadline 1.5 "
      "--json --tls-ca ca.pem --tls-cert c.pem --tls-key k.pem --tls-server-name n --overlay o.png "
      "--previous-labels low.mha --probabilities p.npz --probability-type float16 "
      "--priority interactive --reduce-to-deadline --precision bf16",
      arguments);
  EXPECT_THAT(arguments.inputs, ElementsAre("a.mha", "b.mha"));
  const auto& options = arguments.prediction.options;
  EXPECT_EQ(arguments.prediction.model.version(), 2);
  EXPECT_EQ(options.engine(), pb::ENGINE_CHOICE_TORCH);
  EXPECT_EQ(options.precision(), pb::PRECISION_BF16);
  EXPECT_THAT(options.folds(), ElementsAre("0", "all"));
  EXPECT_EQ(options.mirroring(), pb::TOGGLE_OFF);
  EXPECT_EQ(options.gaussian(), pb::TOGGLE_OFF);
  EXPECT_EQ(options.tile_step_size(), 0.75);
  EXPECT_EQ(options.postprocessing(), pb::TOGGLE_ON);
  EXPECT_EQ(arguments.connection.timeout(), std::chrono::milliseconds(1500));
  EXPECT_EQ(arguments.connection.tls.certificate, "c.pem");
  EXPECT_TRUE(arguments.json);
  EXPECT_EQ(arguments.previous_labels, "low.mha");
  EXPECT_EQ(arguments.probabilities, "p.npz");
  EXPECT_TRUE(arguments.half_probabilities);
  EXPECT_EQ(options.priority(), pb::PRIORITY_INTERACTIVE);
  EXPECT_TRUE(options.reduce_to_meet_deadline());
}

TEST(SegmentCommand, EveryPrecisionHasAName) {
  for (const auto& [name, precision] : {std::pair{"auto", pb::PRECISION_AUTO},
                                        {"exact", pb::PRECISION_EXACT},
                                        {"fp32", pb::PRECISION_FP32},
                                        {"bf16", pb::PRECISION_BF16},
                                        {"int8", pb::PRECISION_INT8},
                                        {"int8_bf16", pb::PRECISION_INT8_BF16},
                                        {"fp16", pb::PRECISION_FP16}}) {
    SegmentArguments arguments;
    Parse("a.mha --model m --output o.mha --precision " + std::string(name), arguments);
    EXPECT_EQ(arguments.prediction.options.precision(), precision);
  }
}

TEST(SegmentCommand, RegionsReachTheRequestInBothUnits) {
  SegmentArguments arguments;
  Parse(
      "--roi 1:20,3:40,5:60 a.mha --model m --output o.mha --roi-mm=-20:15.5,0:40,-1e2:130 "
      "--roi 0:1,0:1,0:1",
      arguments);
  EXPECT_THAT(arguments.inputs, ElementsAre("a.mha"));
  const auto& regions = arguments.prediction.regions;
  ASSERT_EQ(regions.size(), 3U);
  EXPECT_THAT(regions[0].voxels().begin(), ElementsAre(1, 3, 5));
  EXPECT_THAT(regions[0].voxels().end(), ElementsAre(20, 40, 60));
  EXPECT_THAT(regions[1].voxels().end(), ElementsAre(1, 1, 1));
  EXPECT_THAT(regions[2].mm().begin_mm(), ElementsAre(-20, 0, -100));
  EXPECT_THAT(regions[2].mm().end_mm(), ElementsAre(15.5, 40, 130));
}

TEST(SegmentCommand, RegionsThatAreNoneAreRefused) {
  for (const char* region :
       {"--roi 1:2,3:4", "--roi 1:2,3:4,5", "--roi 1:2,3:4,5:6,7:8", "--roi 1:2,3:4,5:x",
        "--roi 1:2,3:4,5:6.5", "--roi-mm 1:2,3:4,5:nan", "--roi-mm 1:2,3:4"}) {
    SegmentArguments arguments;
    EXPECT_THROW(Parse("a.mha --model m --output o.mha " + std::string(region), arguments),
                 CLI::ParseError)
        << region;
  }
}

TEST(SegmentCommand, WrongArgumentsAreRefused) {
  for (const char* line : {"--model m --output o.mha", "a.mha --output o.mha", "a.mha --model m",
                           "a.mha --model m --output o.mha --engine cpu",
                           "a.mha --model m --output o.mha --step-size 0",
                           "a.mha --model m --output o.mha --postprocess maybe",
                           "a.mha --model m --output o.mha --tls-cert c.pem",
                           "a.mha --model m --output o.mha --deadline -1",
                           "a.mha --model m --output o.mha --probability-type float16",
                           "a.mha --model m --output o.mha --priority first",
                           "a.mha --model m --output o.mha --reduce-to-deadline",
                           "a.mha --model m --output o.mha --unknown"}) {
    SegmentArguments arguments;
    EXPECT_THROW(Parse(line, arguments), CLI::ParseError) << line;
  }
}

TEST(ExitCode, TellsWhoHasToAct) {
  EXPECT_EQ(ExitCodeFor(absl::StatusCode::kOk), ExitCode::kOk);
  EXPECT_EQ(ExitCodeFor(absl::StatusCode::kInvalidArgument), ExitCode::kRefused);
  EXPECT_EQ(ExitCodeFor(absl::StatusCode::kNotFound), ExitCode::kRefused);
  EXPECT_EQ(ExitCodeFor(absl::StatusCode::kUnimplemented), ExitCode::kRefused);
  EXPECT_EQ(ExitCodeFor(absl::StatusCode::kUnavailable), ExitCode::kUnavailable);
  EXPECT_EQ(ExitCodeFor(absl::StatusCode::kResourceExhausted), ExitCode::kUnavailable);
  EXPECT_EQ(ExitCodeFor(absl::StatusCode::kCancelled), ExitCode::kStopped);
  EXPECT_EQ(ExitCodeFor(absl::StatusCode::kDeadlineExceeded), ExitCode::kStopped);
  EXPECT_EQ(ExitCodeFor(absl::StatusCode::kInternal), ExitCode::kServerFailed);
  EXPECT_EQ(ExitCodeFor(absl::StatusCode::kDataLoss), ExitCode::kServerFailed);
}

TEST(Percentile, IsTheNearestRank) {
  std::vector<double> values(100);
  for (int i = 0; i < 100; ++i) values[static_cast<std::size_t>((i * 37) % 100)] = i + 1;
  EXPECT_EQ(Percentile(values, 0.50), 50);
  EXPECT_EQ(Percentile(values, 0.95), 95);
  EXPECT_EQ(Percentile(values, 0.99), 99);
  EXPECT_EQ(Percentile(values, 1.00), 100);
  EXPECT_EQ(Percentile({7}, 0.01), 7);
}

TEST(FormatBench, CountsFailuresByStatus) {
  BenchResult result;
  result.wall_s = 2;
  result.voxels = 500000;
  result.latencies_s = {0.5, 0.25, 1};
  result.failures[absl::StatusCode::kResourceExhausted] = 4;
  const std::string text = FormatBench(result);
  EXPECT_THAT(text, HasSubstr("3 requests done in 2.00 s"));
  EXPECT_THAT(text, HasSubstr("requests_per_s        1.500"));
  EXPECT_THAT(text, HasSubstr("megavoxels_per_s      0.750"));
  EXPECT_THAT(text, HasSubstr("failed RESOURCE_EXHAUSTED   4"));
}

TEST(FormatModels, ShowsStateAndReason) {
  pb::ListModelsResponse response;
  auto* summary = response.add_models();
  summary->mutable_model()->set_name("brain");
  summary->mutable_model()->set_version(4);
  summary->set_state(pb::MODEL_STATE_FAILED);
  summary->set_error("hash of fold_0.pt differs");
  EXPECT_THAT(FormatModels(response),
              HasSubstr("brain                          4  failed: hash of fold_0.pt differs\n"));
}

TEST(FormatModel, ShowsWhatWasTriedAtLowerPrecision) {
  pb::GetModelResponse model;
  pb::PrecisionReport& report = *model.add_precisions();
  report.set_engine("openvino");
  report.set_precision("int8");
  report.set_dice(0.9812);
  report.set_dice_limit(0.99);
  report.set_equal_fraction(0.99751);
  report.set_equal_fraction_limit(0.995);
  report.set_volumes(4);
  report.set_relative_time(0.31);
  const std::string figures =
      "lowest Dice 0.9812 (gate 0.9900), equal voxels 99.751 % (gate 99.500 %), 4 volumes\n";
  EXPECT_THAT(FormatModel(model),
              HasSubstr("precision        int8 on openvino, not offered; at export 0.31 of fp32's "
                        "time, " +
                        figures));
  report.set_offered(true);
  EXPECT_THAT(FormatModel(model), HasSubstr("int8 on openvino, offered; at export"));
}

TEST(FormatModel, ShowsWhatKindOfModelItIs) {
  pb::GetModelResponse model;
  model.set_image_reader_writer("NibabelIO");
  EXPECT_THAT(FormatModel(model), HasSubstr("post-processing  none\n"));
  EXPECT_THAT(FormatModel(model), HasSubstr("labels\n"));
  model.set_has_regions(true);
  model.set_has_postprocessing(true);
  model.set_previous_stage("3d_lowres");
  model.mutable_previous_stage_model()->set_name("low");
  model.mutable_previous_stage_model()->set_version(2);
  for (const char* name : {"first", "second"}) {
    model.add_members()->set_name(name);
    model.mutable_members()->rbegin()->set_version(1);
  }
  const std::string text = FormatModel(model);
  EXPECT_THAT(text, HasSubstr("reader           NibabelIO\n"));
  EXPECT_THAT(text, HasSubstr("previous stage   3d_lowres\n"));
  EXPECT_THAT(text, HasSubstr("made by          low, version 2\n"));
  EXPECT_THAT(text, HasSubstr("members          first, version 1; second, version 1\n"));
  EXPECT_THAT(text, HasSubstr("post-processing  yes\n"));
  EXPECT_THAT(text, HasSubstr("regions\n"));
}

/// `nnseg compare` on two label files of 24 voxels.
class CompareCommand : public testing::Test {
 protected:
  CompareCommand() {
    arguments_.a = Put("a.mha", std::vector<uint8_t>(24, 1));
    std::vector<uint8_t> other(24, 1);
    other[5] = 2;
    arguments_.b = Put("b.mha", other);
  }

  std::string Put(const std::string& name, const std::vector<uint8_t>& voxels) {
    const std::string path = (folder_.path() / name).string();
    WriteFile(path, MetaImage(ObliqueGeometry(), "MET_UCHAR", voxels));
    return path;
  }

  const TemporaryFolder folder_;
  CompareArguments arguments_;
};

TEST_F(CompareCommand, ThresholdsDecideTheExitCode) {
  EXPECT_EQ(RunCompare(arguments_), ExitCode::kOk);
  arguments_.max_differing = 1;
  EXPECT_EQ(RunCompare(arguments_), ExitCode::kOk);
  arguments_.max_differing = 0;
  EXPECT_EQ(RunCompare(arguments_), ExitCode::kDiffers);
  arguments_.max_differing.reset();
  arguments_.min_dice = 0.5;  // label 2 has 0
  EXPECT_EQ(RunCompare(arguments_), ExitCode::kDiffers);
  arguments_.b = arguments_.a;
  arguments_.min_dice = 1;
  EXPECT_EQ(RunCompare(arguments_), ExitCode::kOk);
}

TEST_F(CompareCommand, APictureIsDrawn) {
  arguments_.picture = (folder_.path() / "worst.png").string();
  EXPECT_EQ(RunCompare(arguments_), ExitCode::kOk);
  EXPECT_EQ(ReadFile(arguments_.picture).substr(1, 3), "PNG");
}

TEST_F(CompareCommand, WhatCannotBeComparedIsAFileError) {
  arguments_.b = Put("c.mha", {});
  EXPECT_EQ(RunCompare(arguments_), ExitCode::kFile);
  arguments_.b = "missing.nii.gz";
  EXPECT_EQ(RunCompare(arguments_), ExitCode::kFile);
}

}  // namespace
}  // namespace nnseg
