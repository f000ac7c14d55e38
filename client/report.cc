#include "client/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/progress.h"

namespace nnseg {
namespace {

namespace pb = ::segmentation::v1;

double Seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + 1e-9 * duration.nanos();
}

std::string NameOf(pb::Reduction reduction) {
  switch (reduction) {
    case pb::REDUCTION_MIRRORING:
      return "mirroring";
    case pb::REDUCTION_FOLDS:
      return "folds";
    default:
      return "unknown";
  }
}

std::vector<std::string> ReductionsOf(const pb::Summary& summary) {
  std::vector<std::string> names;
  for (const int reduction : summary.reductions()) {
    names.push_back(NameOf(static_cast<pb::Reduction>(reduction)));
  }
  return names;
}

}  // namespace

std::string FormatReport(const pb::Summary& summary) {
  std::string text = absl::StrFormat(
      "model %s, version %d; %s %s; folds %s; %s; %d tiles, %d forward passes; %s\n\n",
      summary.model().name(), summary.model().version(), summary.engine(), summary.precision(),
      absl::StrJoin(summary.folds(), ", "),
      summary.mirroring_axes().empty() ? "no mirroring" : "mirroring", summary.tiles(),
      summary.passes(), summary.postprocessed() ? "post-processed" : "no post-processing");
  if (summary.reductions_size() > 0) {
    absl::StrAppend(&text,
                    "left out to meet the deadline: ", absl::StrJoin(ReductionsOf(summary), ", "),
                    "\n\n");
  }

  std::size_t name_width = 5;
  for (const auto& label : summary.label_volumes()) {
    name_width = std::max(name_width, label.name().size());
  }
  const int width = static_cast<int>(name_width);
  absl::StrAppend(
      &text, absl::StrFormat("%5s  %-*s  %10s  %10s\n", "value", width, "label", "voxels", "ml"));
  int absent = 0;
  for (const auto& label : summary.label_volumes()) {
    if (label.value() == 0) continue;
    if (label.voxels() == 0) {
      ++absent;
      continue;
    }
    absl::StrAppend(&text, absl::StrFormat("%5d  %-*s  %10d  %10.2f\n", label.value(), width,
                                           label.name(), label.voxels(), label.volume_ml()));
  }
  if (absent > 0) absl::StrAppend(&text, "labels not found in this image: ", absent, "\n");

  absl::StrAppend(&text, absl::StrFormat("\n%-*s  %10s\n", width + 7, "stage", "seconds"));
  for (const auto& timing : summary.timings()) {
    absl::StrAppend(&text, absl::StrFormat("%-*s  %10.3f\n", width + 7, NameOf(timing.stage()),
                                           Seconds(timing.duration())));
  }
  return text;
}

std::string ReportAsJson(const pb::Accepted& accepted, const pb::Summary& summary) {
  nlohmann::ordered_json json;
  json["request_id"] = accepted.request_id();
  json["model"] = {{"name", summary.model().name()},
                   {"version", summary.model().version()},
                   {"digest", summary.model_digest()}};
  json["engine"] = summary.engine();
  json["precision"] = summary.precision();
  json["folds"] = std::vector<std::string>(summary.folds().begin(), summary.folds().end());
  json["mirroring_axes"] =
      std::vector<int>(summary.mirroring_axes().begin(), summary.mirroring_axes().end());
  json["tiles"] = summary.tiles();
  json["passes"] = summary.passes();
  json["postprocessed"] = summary.postprocessed();
  json["reductions"] = ReductionsOf(summary);
  json["timings"] = nlohmann::ordered_json::array();
  for (const auto& timing : summary.timings()) {
    json["timings"].push_back(
        {{"stage", NameOf(timing.stage())}, {"seconds", Seconds(timing.duration())}});
  }
  json["labels"] = nlohmann::ordered_json::array();
  for (const auto& label : summary.label_volumes()) {
    json["labels"].push_back({{"value", label.value()},
                              {"name", label.name()},
                              {"voxels", label.voxels()},
                              {"volume_ml", label.volume_ml()}});
  }
  json["label_map_crc32"] = summary.label_map_crc32();
  // Names come from outside: what is no UTF-8 is replaced, not thrown about.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace nnseg
