#ifndef NNSEG_SERVER_METRICS_H_
#define NNSEG_SERVER_METRICS_H_

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace nnseg {

/// The server's Prometheus metrics. Labels are models of the repository, stages, codes and reasons,
/// never anything that a client makes up. Thread-safe.
class Metrics {
 public:
  Metrics();

  /// A stream has ended. `model` and `version` are empty when it never came to one.
  void RequestEnded(const std::string& model, const std::string& version, const std::string& code,
                    double seconds);
  void StageEnded(const std::string& model, const std::string& stage, double seconds);
  /// From the end of the upload to the first labels.
  void FirstResult(const std::string& model, double seconds);
  /// An UploadVolume stream has ended.
  void UploadEnded(const std::string& code);
  /// Of either kind of stream. Reasons: too_large, queue_full, volumes_full, oom, draining,
  /// invalid, deadline, stalled.
  void Rejected(const std::string& reason);
  /// A client gave up in this stage.
  void Cancelled(const std::string& stage);
  void CaseDone(int64_t tiles, int64_t voxels);
  void Received(int64_t bytes) { received_bytes_.Increment(static_cast<double>(bytes)); }
  void Sent(int64_t bytes) { sent_bytes_.Increment(static_cast<double>(bytes)); }

  /// Adds metrics that are made at each scrape. Not thread-safe: call before serving.
  using Collect = std::function<std::vector<prometheus::MetricFamily>()>;
  void AddCollector(Collect collect) { collectors_.push_back(std::move(collect)); }
  /// The same for one number without labels. `collect` must outlive the last ToText.
  void AddGauge(std::string name, std::string help, std::function<double()> value);
  /// The same for a number that only grows.
  void AddCounter(std::string name, std::string help, std::function<double()> value);

  /// All metrics in Prometheus' text format.
  std::string ToText() const;

 private:
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& request_seconds_;
  prometheus::Family<prometheus::Histogram>& stage_seconds_;
  prometheus::Family<prometheus::Histogram>& first_result_seconds_;
  prometheus::Family<prometheus::Counter>& uploads_;
  prometheus::Family<prometheus::Counter>& rejected_;
  prometheus::Family<prometheus::Counter>& cancelled_;
  prometheus::Counter& tiles_;
  prometheus::Counter& voxels_;
  prometheus::Counter& received_bytes_;
  prometheus::Counter& sent_bytes_;
  std::vector<Collect> collectors_;
};

/// A family with one sample, for collectors.
prometheus::MetricFamily MakeFamily(std::string name, std::string help, prometheus::MetricType type,
                                    double value);

/// process_*: CPU time, memory, descriptors, threads and start time, from procfs.
std::vector<prometheus::MetricFamily> CollectProcess();

}  // namespace nnseg

#endif  // NNSEG_SERVER_METRICS_H_
