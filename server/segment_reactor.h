#ifndef NNSEG_SERVER_SEGMENT_REACTOR_H_
#define NNSEG_SERVER_SEGMENT_REACTOR_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/cancellation.h"
#include "core/pipeline/pipeline_executor.h"
#include "server/admission.h"
#include "server/image_upload.h"
#include "server/label_checksum.h"
#include "server/metrics.h"
#include "server/outbox.h"
#include "server/segment_header.h"
#include "server/segment_responses.h"
#include "server/stream_monitor.h"
#include "server/volume_store.h"

namespace nnseg {

/// What all Segment streams share. The parts outlive every stream.
struct SegmentHost {
  const ModelRepository& repository;
  Admission& admission;
  VolumeStore& volumes;
  PipelineExecutor& executor;
  Metrics& metrics;
  StreamMonitor& monitor;
  const std::atomic<bool>& draining;
  std::chrono::duration<double> max_request;
  std::chrono::duration<double> stall;
  std::size_t max_unsent_bytes;
};

/// One Segment stream, from its first message to its status. A state machine:
///
///   upload -> running -> ended        (any phase -> ended on an error)
///
/// The upload is a header alone when the image is a kept volume, which is then held until the end.
/// One read and one write are in flight at most. gRPC's threads only check, copy chunks into the
/// image and hand messages on; the case runs on the pipeline's threads, which call the observer's
/// methods and are held back while too many labels wait for the client. A case that runs always
/// ends through its completion, so the reactor outlives it; gRPC's OnDone deletes the reactor.
///
/// Works on serialized messages, so that voxels are copied once, from gRPC's slices to the image.
class SegmentReactor final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                             private StageObserver,
                             private MonitoredStream {
 public:
  SegmentReactor(grpc::CallbackServerContext& context, SegmentHost& host);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  using Clock = std::chrono::steady_clock;
  enum class Phase { kUpload, kRunning, kEnded };

  // StageObserver: from the pipeline's threads.
  void OnStage(Stage stage) override;
  void OnProgress(int64_t passes_done, int64_t passes_total) override;
  void OnResultBegins(const std::vector<Box3>& labelled_boxes, LabelType type) override;
  absl::Status OnLabels(LabelBlock block) override;
  absl::Status OnProbabilities(ProbabilityBlock block) override;
  void OnCaseDone(absl::StatusOr<SegmentationSummary> summary);

  // MonitoredStream: from the monitor's thread.
  void CheckTime(Clock::time_point now) override;
  void Abort() override;

  // All of these need the lock.
  absl::Status TakeMessage();
  absl::Status TakeHeader(const ::segmentation::v1::SegmentHeader& header);
  void SendProgress(bool always);
  void Stop(absl::Status reason);
  void End(absl::Status status);
  void Pump();

  // Hands the complete image to the pipeline; needs the lock not held.
  void Submit();
  // Waits for room and queues a message; blocks the pipeline, never gRPC.
  absl::Status SendHeldBack(const grpc::ByteBuffer& message);
  void Report();

  grpc::CallbackServerContext& context_;
  SegmentHost& host_;
  const Clock::time_point start_ = Clock::now();
  const CancellationToken token_;

  std::mutex mu_;
  std::condition_variable room_;
  Phase phase_ = Phase::kUpload;
  grpc::ByteBuffer reading_;
  grpc::ByteBuffer writing_;
  bool write_in_flight_ = false;
  bool finish_called_ = false;
  Outbox outbox_;
  Clock::time_point last_write_ = start_;
  absl::Status stop_reason_;        // why the token was cancelled
  absl::Status status_;             // once ended
  const char* rejected_ = nullptr;  // reason for the metrics

  std::string request_id_;
  std::optional<AcceptedCase> accepted_;
  Admission::Ticket ticket_;
  ImageUpload upload_;
  VolumeLease volume_;  // of a request that names a kept volume
  Clock::time_point upload_end_ = start_;
  Clock::time_point case_end_ = start_;
  Clock::time_point infer_start_ = start_;
  Clock::time_point last_progress_{};
  std::optional<Clock::time_point> first_result_;
  CaseProgress progress_;
  std::optional<SegmentationSummary> summary_;

  // Only the pipeline's calls, one after the other, touch these.
  LabelType label_type_ = LabelType::kUint8;
  LabelChecksum checksum_;
};

}  // namespace nnseg

#endif  // NNSEG_SERVER_SEGMENT_REACTOR_H_
