#include "server/segment_reactor.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "proto/wire/label_codec.h"
#include "proto/wire/probability_codec.h"
#include "proto/wire/status_codec.h"
#include "server/call_end.h"
#include "server/event_log.h"
#include "server/peer_identity.h"

namespace nnseg {
namespace {

namespace pb = ::segmentation::v1;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::chrono::milliseconds kProgressInterval(100);

double SecondsBetween(Clock::time_point begin, Clock::time_point end) {
  return Seconds(end - begin).count();
}

grpc::ByteBuffer Serialize(const pb::SegmentResponse& message) {
  grpc::ByteBuffer bytes;
  bool own = false;
  const grpc::Status status =
      grpc::SerializationTraits<pb::SegmentResponse>::Serialize(message, &bytes, &own);
  NNSEG_CHECK(status.ok());
  return bytes;
}

}  // namespace

SegmentReactor::SegmentReactor(grpc::CallbackServerContext& context, SegmentHost& host)
    : context_(context),
      host_(host),
      token_(DeadlineOf(context, host.max_request)),
      upload_(host.stall) {
  host_.monitor.Add(*this);
  std::lock_guard lock(mu_);
  if (host_.draining) {
    End(StoppingError());
  } else {
    StartRead(&reading_);
  }
}

void SegmentReactor::OnReadDone(bool ok) {
  {
    std::lock_guard lock(mu_);
    if (phase_ == Phase::kEnded) return;
    if (ok) {
      host_.metrics.Received(static_cast<int64_t>(reading_.Length()));
      absl::Status status = TakeMessage();
      reading_.Clear();
      if (status.ok()) {
        StartRead(&reading_);
      } else {
        End(std::move(status));
      }
      return;
    }
    if (context_.IsCancelled()) return;  // OnCancel ends the stream
  }
  Submit();
}

absl::Status SegmentReactor::TakeMessage() {
  NNSEG_ASSIGN_OR_RETURN(const auto message, ReadSegmentRequest(reading_));
  return upload_.Take(message, reading_,
                      [this](const pb::SegmentHeader& header) { return TakeHeader(header); });
}

absl::Status SegmentReactor::TakeHeader(const pb::SegmentHeader& header) {
  request_id_ = RequestIdFor(header.request_id());
  if (!header.volume_id().empty()) {
    NNSEG_ASSIGN_OR_RETURN(
        volume_, host_.volumes.Borrow(header.volume_id(), PeerIdentity(*context_.auth_context())));
  }
  NNSEG_ASSIGN_OR_RETURN(AcceptedCase accepted,
                         CheckHeader(header, host_.repository, volume_.image.get()));
  rejected_ = accepted.bytes > host_.admission.byte_limit() ? "too_large" : "queue_full";
  if (accepted.device_bytes > host_.admission.device_byte_limit()) {
    // It will never fit: rather than none it gets the slower way, on which the host brings passes.
    accepted.options.use_window = false;
    accepted.device_bytes = 0;
  }
  NNSEG_ASSIGN_OR_RETURN(ticket_, host_.admission.Admit(accepted.bytes, accepted.device_bytes));
  VoxelBuffer voxels;
  if (volume_.image == nullptr) {
    NNSEG_ASSIGN_OR_RETURN(voxels, VoxelBuffer::Allocate(accepted.pixel_type, accepted.channels,
                                                         accepted.geometry.shape()));
  }
  VoxelBuffer previous_labels;
  if (accepted.previous_labels_type.has_value()) {
    NNSEG_ASSIGN_OR_RETURN(previous_labels, VoxelBuffer::Allocate(*accepted.previous_labels_type, 1,
                                                                  accepted.geometry.shape()));
  }
  rejected_ = nullptr;
  upload_.Expect(std::move(voxels), std::move(previous_labels));
  accepted_ = std::move(accepted);
  outbox_.Push(Serialize(AcceptedResponse(request_id_, *accepted_)));
  Pump();
  return absl::OkStatus();
}

void SegmentReactor::Submit() {
  SegmentationCase segmentation_case;
  VoxelBuffer previous_labels;
  {
    std::lock_guard lock(mu_);
    if (phase_ != Phase::kUpload) return;
    absl::StatusOr<Upload> upload = upload_.Finish();
    if (!upload.ok()) {
      End(upload.status());
      return;
    }
    segmentation_case = {.request_id = request_id_,
                         .model = accepted_->model,
                         .prepared_cache = volume_.prepared,
                         .spacing = accepted_->geometry.spacing(),
                         .regions = accepted_->regions,
                         .options = accepted_->options,
                         .token = token_};
    segmentation_case.voxels =
        volume_.image != nullptr
            ? std::shared_ptr<const VoxelBuffer>(volume_.image, &volume_.image->voxels)
            : std::make_shared<const VoxelBuffer>(std::move(upload->image));
    previous_labels = std::move(upload->previous_labels);
    phase_ = Phase::kRunning;
    upload_end_ = Clock::now();
    SendProgress(/*always=*/true);
  }
  if (previous_labels.channels() > 0) segmentation_case.previous_labels = ToLabels(previous_labels);
  absl::Status status = host_.executor.Submit(
      std::move(segmentation_case), *this,
      [this](absl::StatusOr<SegmentationSummary> summary) { OnCaseDone(std::move(summary)); });
  if (!status.ok()) {
    std::lock_guard lock(mu_);
    rejected_ = "queue_full";
    End(std::move(status));
  }
}

void SegmentReactor::OnStage(Stage stage) {
  std::lock_guard lock(mu_);
  progress_.stage = stage;
  if (stage == Stage::kInfer && progress_.passes_done == 0) infer_start_ = Clock::now();
  SendProgress(/*always=*/true);
}

void SegmentReactor::OnProgress(int64_t passes_done, int64_t passes_total) {
  std::lock_guard lock(mu_);
  progress_.passes_done = passes_done;
  progress_.passes_total = passes_total;
  progress_.infer_seconds = SecondsBetween(infer_start_, Clock::now());
  SendProgress(/*always=*/passes_done == passes_total);
}

void SegmentReactor::SendProgress(bool always) {
  const auto now = Clock::now();
  if (!always && now - last_progress_ < kProgressInterval) return;
  last_progress_ = now;
  outbox_.SetProgress(Serialize(ProgressResponse(progress_)));
  Pump();
}

void SegmentReactor::OnResultBegins(const std::vector<Box3>& labelled_boxes, LabelType type) {
  label_type_ = type;
  checksum_ = LabelChecksum(accepted_->geometry.shape(), type);
  std::lock_guard lock(mu_);
  first_result_ = Clock::now();
  outbox_.Push(Serialize(ResultHeaderResponse(*accepted_, type, labelled_boxes)));
  Pump();
}

absl::Status SegmentReactor::OnLabels(LabelBlock block) {
  if (!block.provisional) checksum_.Add(block);
  return EncodeLabels(block, label_type_, accepted_->label_encoding, [this](pb::LabelChunk chunk) {
    pb::SegmentResponse response;
    *response.mutable_label_chunk() = std::move(chunk);
    return SendHeldBack(Serialize(response));
  });
}

absl::Status SegmentReactor::OnProbabilities(ProbabilityBlock block) {
  return EncodeProbabilities(block, accepted_->probability_type, accepted_->label_encoding,
                             [this](pb::ProbabilityChunk chunk) {
                               pb::SegmentResponse response;
                               *response.mutable_probability_chunk() = std::move(chunk);
                               return SendHeldBack(Serialize(response));
                             });
}

absl::Status SegmentReactor::SendHeldBack(const grpc::ByteBuffer& message) {
  std::unique_lock lock(mu_);
  const auto waiting_since = Clock::now();
  while (stop_reason_.ok() && outbox_.bytes() >= host_.max_unsent_bytes) {
    const auto stalled_at = std::max(waiting_since, last_write_) +
                            std::chrono::duration_cast<Clock::duration>(host_.stall);
    if (Clock::now() >= token_.deadline()) return TimedOutError();
    if (Clock::now() >= stalled_at) {
      rejected_ = "stalled";
      return absl::DeadlineExceededError(
          absl::StrCat("stream: the client took nothing for ", host_.stall.count(), " s"));
    }
    room_.wait_until(lock, std::min(stalled_at, token_.deadline()));
  }
  if (!stop_reason_.ok()) return stop_reason_;
  outbox_.Push(message);
  Pump();
  return absl::OkStatus();
}

void SegmentReactor::OnCaseDone(absl::StatusOr<SegmentationSummary> summary) {
  std::lock_guard lock(mu_);
  case_end_ = Clock::now();
  if (!stop_reason_.ok()) {
    End(stop_reason_);
  } else if (!summary.ok()) {
    End(summary.status());
  } else {
    summary_ = *std::move(summary);
    outbox_.Push(Serialize(SummaryResponse(
        *accepted_, *summary_, SecondsBetween(start_, upload_end_), checksum_.value())));
    End(absl::OkStatus());
  }
}

void SegmentReactor::OnWriteDone(bool ok) {
  std::lock_guard lock(mu_);
  write_in_flight_ = false;
  last_write_ = Clock::now();
  if (ok) {
    host_.metrics.Sent(static_cast<int64_t>(writing_.Length()));
  } else {
    outbox_.Clear();
    Stop(absl::CancelledError("the client has gone"));
  }
  writing_.Clear();
  room_.notify_all();
  Pump();
}

void SegmentReactor::OnCancel() {
  std::lock_guard lock(mu_);
  Stop(CancelReason(token_.deadline()));
}

void SegmentReactor::CheckTime(Clock::time_point now) {
  std::lock_guard lock(mu_);
  switch (phase_) {
    case Phase::kUpload:
      if (now >= token_.deadline()) {
        Stop(TimedOutError());
      } else if (absl::Status stalled = upload_.CheckStall(now); !stalled.ok()) {
        rejected_ = "stalled";
        Stop(std::move(stalled));
      }
      break;
    case Phase::kRunning:
      break;  // the pipeline polls the token
    case Phase::kEnded:
      // The status cannot go out before the write in flight is taken.
      if (write_in_flight_ && now - last_write_ >= host_.stall) context_.TryCancel();
      break;
  }
}

void SegmentReactor::Abort() {
  std::lock_guard lock(mu_);
  Stop(StoppingError());
}

void SegmentReactor::Stop(absl::Status reason) {
  if (!stop_reason_.ok()) return;
  stop_reason_ = std::move(reason);
  if (phase_ == Phase::kEnded) {
    if (finish_called_) return;
    outbox_.Clear();  // what the client has not taken it will not get
    if (status_.ok()) status_ = stop_reason_;
    return;
  }
  token_.Cancel();
  room_.notify_all();
  if (phase_ != Phase::kRunning) End(stop_reason_);
}

void SegmentReactor::End(absl::Status status) {
  if (phase_ == Phase::kEnded) return;
  phase_ = Phase::kEnded;
  status_ = std::move(status);
  last_write_ = Clock::now();
  if (!status_.ok()) outbox_.Clear();
  upload_.Clear();
  volume_ = {};
  ticket_ = {};
  Pump();
}

void SegmentReactor::Pump() {
  if (write_in_flight_ || finish_called_) return;
  if (std::optional<grpc::ByteBuffer> message = outbox_.Pop()) {
    writing_ = *message;
    write_in_flight_ = true;
    StartWrite(&writing_);
  } else if (phase_ == Phase::kEnded) {
    finish_called_ = true;
    Finish(ToGrpcStatus(status_));
  }
}

void SegmentReactor::OnDone() {
  Report();
  host_.monitor.Remove(*this);  // from here on the host may be gone
  delete this;
}

void SegmentReactor::Report() {
  std::lock_guard lock(mu_);  // nobody else is left; the lock orders what they wrote before
  const auto now = Clock::now();
  const std::string code = NameOf(status_.code());
  LogFields log{{"request_id", request_id_}};
  std::string model;
  std::string version;
  if (accepted_.has_value()) {
    const BundleManifest& manifest = accepted_->model->bundle().manifest;
    model = manifest.name;
    version = absl::StrCat(manifest.version);
    log["model"] = model;
    log["version"] = manifest.version;
  }
  log["code"] = code;
  log["seconds"] = SecondsBetween(start_, now);
  host_.metrics.RequestEnded(model, version, code, SecondsBetween(start_, now));

  const auto stage_ended = [&](const char* stage, double seconds) {
    host_.metrics.StageEnded(model, stage, seconds);
    log["stage_seconds"][stage] = seconds;
  };
  if (summary_.has_value()) {
    stage_ended("receive", SecondsBetween(start_, upload_end_));
    for (const auto& [stage, seconds] : summary_->stage_seconds) {
      stage_ended(NameOf(stage), seconds);
    }
    stage_ended("send", SecondsBetween(case_end_, now));
    if (first_result_.has_value()) {
      host_.metrics.FirstResult(model, SecondsBetween(upload_end_, *first_result_));
    }
    host_.metrics.CaseDone(summary_->tiles, accepted_->geometry.shape().voxels());
    log["engine"] = summary_->engine;
    log["device_bytes"] = accepted_->device_bytes;
    log["passes"] = summary_->passes;
  }

  if (status_.code() == absl::StatusCode::kCancelled) {
    host_.metrics.Cancelled(summary_.has_value()    ? "send"
                            : upload_end_ != start_ ? NameOf(progress_.stage)
                                                    : "receive");
  }
  if (const char* reason = RejectionReason(status_.code(), rejected_)) {
    host_.metrics.Rejected(reason);
  }
  const LogLevel level = LevelOf(status_.code());
  if (level >= LogLevel::kWarning) log["message"] = status_.message();
  LogEvent(level, "request", log);
}

}  // namespace nnseg
