#include "client/report.h"

#include <nlohmann/json.hpp>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nnseg {
namespace {

namespace pb = ::segmentation::v1;
using testing::HasSubstr;
using testing::Not;

pb::Summary MakeSummary() {
  pb::Summary summary;
  summary.mutable_model()->set_name("brain-t1");
  summary.mutable_model()->set_version(3);
  summary.set_engine("openvino");
  summary.set_precision("fp32");
  summary.add_folds("0");
  summary.add_folds("1");
  summary.set_tiles(12);
  summary.set_passes(24);
  summary.set_postprocessed(true);
  summary.set_label_map_crc32(4000000000U);
  auto* timing = summary.add_timings();
  timing->set_stage(pb::STAGE_INFER);
  timing->mutable_duration()->set_seconds(2);
  timing->mutable_duration()->set_nanos(500000000);
  const auto add = [&](int value, const char* name, int64_t voxels) {
    auto* label = summary.add_label_volumes();
    label->set_value(value);
    label->set_name(name);
    label->set_voxels(voxels);
    label->set_volume_ml(1e-3 * static_cast<double>(voxels));
  };
  add(0, "background", 1000000);
  add(1, "cortex", 512340);
  add(2, "cerebellum", 0);
  return summary;
}

TEST(FormatReport, ShowsVolumesAndTimings) {
  const std::string text = FormatReport(MakeSummary());
  EXPECT_THAT(text, HasSubstr("brain-t1, version 3; openvino fp32; folds 0, 1; no mirroring; 12"));
  EXPECT_THAT(text, HasSubstr("24 forward passes; post-processed\n"));
  EXPECT_THAT(text, HasSubstr("    1  cortex          512340      512.34\n"));
  EXPECT_THAT(text, HasSubstr("labels not found in this image: 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("background")));
  EXPECT_THAT(text, HasSubstr("network                 2.500\n"));
}

TEST(FormatReport, TellsWhatTheDeadlineCost) {
  pb::Summary summary = MakeSummary();
  EXPECT_THAT(FormatReport(summary), Not(HasSubstr("deadline")));
  summary.add_reductions(pb::REDUCTION_MIRRORING);
  summary.add_reductions(pb::REDUCTION_FOLDS);
  EXPECT_THAT(FormatReport(summary),
              HasSubstr("left out to meet the deadline: mirroring, folds\n"));
  const auto json = nlohmann::json::parse(ReportAsJson({}, summary));
  EXPECT_EQ(json["reductions"], nlohmann::json({"mirroring", "folds"}));
}

TEST(ReportAsJson, HoldsEveryLabelAndNumber) {
  pb::Accepted accepted;
  accepted.set_request_id("abc");
  const auto json = nlohmann::json::parse(ReportAsJson(accepted, MakeSummary()));
  EXPECT_EQ(json["request_id"], "abc");
  EXPECT_EQ(json["model"]["version"], 3);
  EXPECT_EQ(json["labels"].size(), 3U);
  EXPECT_EQ(json["labels"][1]["volume_ml"], 512.34);
  EXPECT_EQ(json["timings"][0]["stage"], "network");
  EXPECT_EQ(json["timings"][0]["seconds"], 2.5);
  EXPECT_EQ(json["postprocessed"], true);
  EXPECT_EQ(json["label_map_crc32"], 4000000000U);
}

}  // namespace
}  // namespace nnseg
