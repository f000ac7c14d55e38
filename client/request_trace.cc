#include "client/request_trace.h"

#include <nlohmann/json.hpp>

#include "client/progress.h"
#include "client/report.h"

namespace nnseg {

namespace pb = ::segmentation::v1;

RequestTrace::RequestTrace(int client, Clock::time_point origin)
    : client_(client), origin_(origin), begin_s_(Now()) {}

double RequestTrace::Now() const {
  return std::chrono::duration<double>(Clock::now() - origin_).count();
}

void RequestTrace::Take(const pb::SegmentResponse& response) {
  if (response.has_label_chunk()) {
    if (!response.label_chunk().provisional()) labels_s_.push_back(Now());
  } else if (response.has_progress()) {
    const pb::Stage stage = response.progress().stage();
    if (stages_.empty() || stages_.back().first != stage) stages_.emplace_back(stage, Now());
  }
}

void RequestTrace::End(SegmentResult result) {
  end_s_ = Now();
  accepted_ = std::move(result.accepted);
  summary_ = std::move(result.summary);
}

std::string TracesAsJson(const std::vector<RequestTrace>& traces, double origin_unix_s) {
  nlohmann::ordered_json json;
  json["origin_unix_s"] = origin_unix_s;
  json["requests"] = nlohmann::ordered_json::array();
  for (const RequestTrace& trace : traces) {
    nlohmann::ordered_json& request = json["requests"].emplace_back();
    request["client"] = trace.client_;
    request["begin_s"] = trace.begin_s_;
    request["end_s"] = trace.end_s_;
    request["stages"] = nlohmann::ordered_json::array();
    for (const auto& [stage, at_s] : trace.stages_) {
      request["stages"].push_back({{"stage", NameOf(stage)}, {"at_s", at_s}});
    }
    request["labels_at_s"] = trace.labels_s_;
    request["report"] =
        nlohmann::ordered_json::parse(ReportAsJson(trace.accepted_, trace.summary_));
  }
  return json.dump(1) + "\n";
}

}  // namespace nnseg
