#include "server/metrics.h"

#include <prometheus/gauge.h>
#include <prometheus/text_serializer.h>

namespace nnseg {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildHistogram;
using prometheus::Histogram;

const Histogram::BucketBoundaries& Seconds() {
  static const Histogram::BucketBoundaries kSeconds{0.05, 0.1, 0.25, 0.5, 1,  2,
                                                    4,    8,   16,   32,  64, 128};
  return kSeconds;
}

prometheus::Counter& PlainCounter(prometheus::Registry& registry, const char* name,
                                  const char* help) {
  return BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

Metrics::Metrics()
    : requests_(BuildCounter()
                    .Name("nnseg_requests_total")
                    .Help("Segment streams that have ended")
                    .Register(registry_)),
      request_seconds_(BuildHistogram()
                           .Name("nnseg_request_duration_seconds")
                           .Help("From the first message to the end of a Segment stream")
                           .Register(registry_)),
      stage_seconds_(BuildHistogram()
                         .Name("nnseg_stage_duration_seconds")
                         .Help("Wall time of a case's stages")
                         .Register(registry_)),
      first_result_seconds_(BuildHistogram()
                                .Name("nnseg_first_result_seconds")
                                .Help("From the end of the upload to the first labels")
                                .Register(registry_)),
      uploads_(BuildCounter()
                   .Name("nnseg_volume_uploads_total")
                   .Help("UploadVolume streams that have ended")
                   .Register(registry_)),
      rejected_(BuildCounter()
                    .Name("nnseg_rejected_total")
                    .Help("Streams that were refused or broken off, by reason")
                    .Register(registry_)),
      cancelled_(BuildCounter()
                     .Name("nnseg_cancelled_total")
                     .Help("Streams that the client gave up, by stage")
                     .Register(registry_)),
      tiles_(PlainCounter(registry_, "nnseg_tiles_total", "Tiles of cases that are done")),
      voxels_(PlainCounter(registry_, "nnseg_voxels_total", "Voxels of cases that are done")),
      received_bytes_(
          PlainCounter(registry_, "nnseg_received_bytes_total", "Bytes of messages received")),
      sent_bytes_(
          PlainCounter(registry_, "nnseg_sent_bytes_total", "Bytes of Segment messages sent")) {
  prometheus::BuildGauge()
      .Name("nnseg_build_info")
      .Help("1; the labels tell the build")
      .Register(registry_)
      .Add({{"version", NNSEG_VERSION}, {"compiler", __VERSION__}})
      .Set(1);
  AddCollector(CollectProcess);
}

void Metrics::RequestEnded(const std::string& model, const std::string& version,
                           const std::string& code, double seconds) {
  requests_.Add({{"model", model}, {"version", version}, {"code", code}}).Increment();
  request_seconds_.Add({{"model", model}}, Seconds()).Observe(seconds);
}

void Metrics::StageEnded(const std::string& model, const std::string& stage, double seconds) {
  stage_seconds_.Add({{"model", model}, {"stage", stage}}, Seconds()).Observe(seconds);
}

void Metrics::FirstResult(const std::string& model, double seconds) {
  first_result_seconds_.Add({{"model", model}}, Seconds()).Observe(seconds);
}

void Metrics::UploadEnded(const std::string& code) { uploads_.Add({{"code", code}}).Increment(); }

void Metrics::Rejected(const std::string& reason) {
  rejected_.Add({{"reason", reason}}).Increment();
}

void Metrics::Cancelled(const std::string& stage) {
  cancelled_.Add({{"stage", stage}}).Increment();
}

void Metrics::CaseDone(int64_t tiles, int64_t voxels) {
  tiles_.Increment(static_cast<double>(tiles));
  voxels_.Increment(static_cast<double>(voxels));
}

void Metrics::AddGauge(std::string name, std::string help, std::function<double()> value) {
  AddCollector([name = std::move(name), help = std::move(help), value = std::move(value)] {
    return std::vector{MakeFamily(name, help, prometheus::MetricType::Gauge, value())};
  });
}

void Metrics::AddCounter(std::string name, std::string help, std::function<double()> value) {
  AddCollector([name = std::move(name), help = std::move(help), value = std::move(value)] {
    return std::vector{MakeFamily(name, help, prometheus::MetricType::Counter, value())};
  });
}

std::string Metrics::ToText() const {
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  for (const Collect& collect : collectors_) {
    for (auto& family : collect()) families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

prometheus::MetricFamily MakeFamily(std::string name, std::string help, prometheus::MetricType type,
                                    double value) {
  prometheus::ClientMetric sample;
  (type == prometheus::MetricType::Counter ? sample.counter.value : sample.gauge.value) = value;
  return {std::move(name), std::move(help), type, {std::move(sample)}};
}

}  // namespace nnseg
