#ifndef NNSEG_CLIENT_REQUEST_TRACE_H_
#define NNSEG_CLIENT_REQUEST_TRACE_H_

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "client/segmentation_client.h"

namespace nnseg {

/// When a client saw what of one request. Times are seconds since an origin that all traces of a
/// run share. One thread at a time.
class RequestTrace {
 public:
  using Clock = std::chrono::steady_clock;

  /// The request begins now, on connection `client`.
  RequestTrace(int client, Clock::time_point origin);

  /// Takes the time of one answer.
  void Take(const ::segmentation::v1::SegmentResponse& response);
  /// The request has ended well now.
  void End(SegmentResult result);

  double latency_s() const { return end_s_ - begin_s_; }
  /// From the begin to the first final labels, or to the end if there were none.
  double first_labels_s() const {
    return (labels_s_.empty() ? end_s_ : labels_s_.front()) - begin_s_;
  }

 private:
  friend std::string TracesAsJson(const std::vector<RequestTrace>& traces, double origin_unix_s);

  double Now() const;

  const int client_;
  const Clock::time_point origin_;
  const double begin_s_;
  double end_s_ = 0;
  std::vector<std::pair<::segmentation::v1::Stage, double>> stages_;  // first time of each, in turn
  std::vector<double> labels_s_;                                      // of each final label chunk
  ::segmentation::v1::Accepted accepted_;
  ::segmentation::v1::Summary summary_;
};

/// One JSON object:
///   origin_unix_s  the origin, in seconds since 1970
///   requests       [{client, begin_s, end_s, stages: [{stage, at_s}], labels_at_s: [], report}]
/// `stages` tells when the client saw each stage begin, `report` is ReportAsJson's object.
std::string TracesAsJson(const std::vector<RequestTrace>& traces, double origin_unix_s);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_REQUEST_TRACE_H_
