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
#include "server/event_log.h"

namespace nnseg {
namespace {

namespace pb = ::segmentation::v1;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::chrono::milliseconds kProgressInterval(100);
/// The client's deadline comes by the system's clock and over the wire: this near counts as passed.
constexpr std::chrono::milliseconds kDeadlineSlack(50);

double SecondsBetween(Clock::time_point begin, Clock::time_point end) {
  return Seconds(end - begin).count();
}

/// The earlier of the client's deadline and the server's limit.
Clock::time_point DeadlineOf(const grpc::CallbackServerContext& context, Seconds limit) {
  const auto limit_end = Clock::now() + std::chrono::duration_cast<Clock::duration>(limit);
  const auto left = context.deadline() - std::chrono::system_clock::now();
  return left < limit ? Clock::now() + left : limit_end;
}

grpc::ByteBuffer Serialize(const pb::SegmentResponse& message) {
  grpc::ByteBuffer bytes;
  bool own = false;
  const grpc::Status status =
      grpc::SerializationTraits<pb::SegmentResponse>::Serialize(message, &bytes, &own);
  NNSEG_CHECK(status.ok());
  return bytes;
}

absl::Status CaseTimedOut() {
  return absl::DeadlineExceededError("the request's deadline has passed");
}

}  // namespace

SegmentReactor::SegmentReactor(grpc::CallbackServerContext& context, SegmentHost& host)
    : context_(context), host_(host), token_(DeadlineOf(context, host.max_request)) {
  host_.monitor.Add(*this);
  std::lock_guard lock(mu_);
  if (host_.draining) {
    End(absl::UnavailableError("the server is stopping: try another one"));
  } else {
    StartRead(&reading_);
  }
}

void SegmentReactor::OnReadDone(bool ok) {
  {
    std::lock_guard lock(mu_);
    if (phase_ == Phase::kEnded) return;
    if (ok) {
      last_read_ = Clock::now();
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
    if (phase_ == Phase::kHeader) {
      End(absl::InvalidArgumentError("stream: got no message, expected a header first"));
      return;
    }
  }
  Submit();
}

absl::Status SegmentReactor::TakeMessage() {
  NNSEG_ASSIGN_OR_RETURN(const SegmentRequestView view, ReadSegmentRequest(reading_));
  if (const auto* header = std::get_if<pb::SegmentHeader>(&view)) {
    if (phase_ != Phase::kHeader) {
      return absl::InvalidArgumentError("stream: got a second header, expected a chunk");
    }
    return TakeHeader(*header);
  }
  if (phase_ == Phase::kHeader) {
    return absl::InvalidArgumentError("stream: got a chunk, expected a header first");
  }
  return TakeChunk(std::get<LocatedChunk>(view));
}

absl::Status SegmentReactor::TakeHeader(const pb::SegmentHeader& header) {
  request_id_ = RequestIdFor(header.request_id());
  NNSEG_ASSIGN_OR_RETURN(AcceptedCase accepted, CheckHeader(header, host_.repository));
  rejected_ = accepted.bytes > host_.admission.byte_limit() ? "too_large" : "queue_full";
  NNSEG_ASSIGN_OR_RETURN(ticket_, host_.admission.Admit(accepted.bytes));
  NNSEG_ASSIGN_OR_RETURN(
      VoxelBuffer voxels,
      VoxelBuffer::Allocate(accepted.pixel_type, accepted.channels, accepted.geometry.shape()));
  VoxelBuffer previous_labels;
  if (accepted.previous_labels_type.has_value()) {
    NNSEG_ASSIGN_OR_RETURN(previous_labels, VoxelBuffer::Allocate(*accepted.previous_labels_type, 1,
                                                                  accepted.geometry.shape()));
  }
  rejected_ = nullptr;
  assembler_ = ChunkAssembler(std::move(voxels), std::move(previous_labels));
  accepted_ = std::move(accepted);
  phase_ = Phase::kUpload;
  outbox_.Push(Serialize(AcceptedResponse(request_id_, *accepted_)));
  Pump();
  return absl::OkStatus();
}

absl::Status SegmentReactor::TakeChunk(const LocatedChunk& chunk) {
  NNSEG_ASSIGN_OR_RETURN(const std::span<std::byte> place,
                         assembler_.Reserve(chunk.offset, chunk.size));
  NNSEG_RETURN_IF_ERROR(CopyChunkData(reading_, chunk, place));
  return assembler_.Commit();
}

void SegmentReactor::Submit() {
  SegmentationCase segmentation_case;
  VoxelBuffer previous_labels;
  {
    std::lock_guard lock(mu_);
    if (phase_ != Phase::kUpload) return;
    absl::StatusOr<Upload> upload = std::move(assembler_).Finish();
    if (!upload.ok()) {
      End(upload.status());
      return;
    }
    segmentation_case = {.request_id = request_id_,
                         .model = accepted_->model,
                         .voxels = std::make_shared<const VoxelBuffer>(std::move(upload->image)),
                         .spacing = accepted_->geometry.spacing(),
                         .options = accepted_->options,
                         .token = token_};
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

void SegmentReactor::OnResultBegins(const Box3& labelled_box, LabelType type) {
  label_type_ = type;
  checksum_ = LabelChecksum(accepted_->geometry.shape(), type);
  std::lock_guard lock(mu_);
  first_result_ = Clock::now();
  outbox_.Push(Serialize(ResultHeaderResponse(*accepted_, type, labelled_box)));
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
    if (Clock::now() >= token_.deadline()) return CaseTimedOut();
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
  Stop(Clock::now() + kDeadlineSlack >= token_.deadline()
           ? CaseTimedOut()
           : absl::CancelledError("the client cancelled the call"));
}

void SegmentReactor::CheckTime(Clock::time_point now) {
  std::lock_guard lock(mu_);
  switch (phase_) {
    case Phase::kHeader:
    case Phase::kUpload:
      if (now >= token_.deadline()) {
        Stop(CaseTimedOut());
      } else if (now - last_read_ >= host_.stall) {
        rejected_ = "stalled";
        Stop(absl::DeadlineExceededError(
            absl::StrCat("stream: got nothing for ", host_.stall.count(), " s, expected ",
                         phase_ == Phase::kHeader ? "a header" : "a chunk or the upload's end")));
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
  Stop(absl::UnavailableError("the server is stopping: try another one"));
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
  assembler_ = {};
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
    log["passes"] = summary_->passes;
  }

  LogLevel level = LogLevel::kInfo;
  switch (status_.code()) {
    case absl::StatusCode::kOk:
      break;
    case absl::StatusCode::kCancelled:
      host_.metrics.Cancelled(summary_.has_value()    ? "send"
                              : upload_end_ != start_ ? NameOf(progress_.stage)
                                                      : "receive");
      break;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnimplemented:
      host_.metrics.Rejected("invalid");  // the text may quote the client: it stays out of the log
      break;
    case absl::StatusCode::kDeadlineExceeded:
      host_.metrics.Rejected(rejected_ != nullptr ? rejected_ : "deadline");
      break;
    case absl::StatusCode::kResourceExhausted:
      host_.metrics.Rejected(rejected_ != nullptr ? rejected_ : "oom");
      level = LogLevel::kWarning;
      log["message"] = status_.message();
      break;
    case absl::StatusCode::kUnavailable:
      host_.metrics.Rejected("draining");
      break;
    default:
      level = LogLevel::kError;
      log["message"] = status_.message();
      break;
  }
  LogEvent(level, "request", log);
}

}  // namespace nnseg
