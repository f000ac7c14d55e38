#include "server/upload_reactor.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "proto/wire/duration_codec.h"
#include "proto/wire/geometry_codec.h"
#include "proto/wire/status_codec.h"
#include "server/call_end.h"
#include "server/event_log.h"
#include "server/peer_identity.h"

namespace nnseg {
namespace {

namespace pb = ::segmentation::v1;
using Seconds = std::chrono::duration<double>;

/// How much of a volume's id the log may show: enough to find it again, too little to use it.
constexpr std::size_t kLoggedIdLength = 8;

/// Zero when the client leaves the choice to the server.
absl::StatusOr<VolumeStore::Clock::duration> IdleTimeout(const pb::VolumeHeader& header) {
  if (!header.has_idle_timeout()) return VolumeStore::Clock::duration::zero();
  const Seconds wish = FromProto(header.idle_timeout());
  // A day is beyond any server's limit, and far from overflow.
  constexpr Seconds kDay = std::chrono::hours(24);
  if (!(wish > Seconds::zero())) {
    return absl::InvalidArgumentError(
        absl::StrCat("idle_timeout: got ", wish.count(), " s, expected more than 0"));
  }
  return std::chrono::ceil<VolumeStore::Clock::duration>(std::min(wish, kDay));
}

}  // namespace

UploadReactor::UploadReactor(grpc::CallbackServerContext& context, UploadHost& host,
                             grpc::ByteBuffer& response)
    : context_(context),
      host_(host),
      response_(response),
      deadline_(DeadlineOf(context, host.max_request)),
      upload_(host.stall) {
  host_.monitor.Add(*this);
  std::lock_guard lock(mu_);
  if (host_.draining) {
    End(StoppingError());
  } else {
    StartRead(&reading_);
  }
}

void UploadReactor::OnReadDone(bool ok) {
  std::lock_guard lock(mu_);
  if (ended_) return;
  if (!ok) {
    if (!context_.IsCancelled()) End(KeepImage());  // else OnCancel ends the stream
    return;
  }
  host_.metrics.Received(static_cast<int64_t>(reading_.Length()));
  absl::Status status = TakeMessage();
  reading_.Clear();
  if (status.ok()) {
    StartRead(&reading_);
  } else {
    End(std::move(status));
  }
}

absl::Status UploadReactor::TakeMessage() {
  NNSEG_ASSIGN_OR_RETURN(const auto message, ReadUploadVolumeRequest(reading_));
  return upload_.Take(message, reading_,
                      [this](const pb::VolumeHeader& header) { return TakeHeader(header); });
}

absl::Status UploadReactor::TakeHeader(const pb::VolumeHeader& header) {
  NNSEG_ASSIGN_OR_RETURN(geometry_, FromProto(header.geometry()));
  NNSEG_ASSIGN_OR_RETURN(const PixelType type, FromProto(header.pixel_type()));
  NNSEG_ASSIGN_OR_RETURN(max_idle_, IdleTimeout(header));
  const int64_t channels = header.channels() == 0 ? 1 : header.channels();
  NNSEG_ASSIGN_OR_RETURN(const int64_t bytes, VoxelBytes(type, channels, geometry_.shape()));
  rejected_ = "volumes_full";
  NNSEG_ASSIGN_OR_RETURN(room_, host_.volumes.MakeRoom(bytes, kTransportBytes));
  NNSEG_ASSIGN_OR_RETURN(VoxelBuffer voxels,
                         VoxelBuffer::Allocate(type, channels, geometry_.shape()));
  rejected_ = nullptr;
  upload_.Expect(std::move(voxels));
  return absl::OkStatus();
}

absl::Status UploadReactor::KeepImage() {
  NNSEG_ASSIGN_OR_RETURN(Upload upload, upload_.Finish());
  VolumeStore::Receipt receipt = host_.volumes.Keep(
      std::move(room_), {.geometry = geometry_, .voxels = std::move(upload.image)},
      PeerIdentity(*context_.auth_context()), max_idle_);
  volume_id_ = std::move(receipt.id);
  pb::UploadVolumeResponse response;
  response.set_volume_id(volume_id_);
  *response.mutable_idle_timeout() = ToProto(Seconds(receipt.max_idle));
  bool own = false;
  NNSEG_CHECK(
      grpc::SerializationTraits<pb::UploadVolumeResponse>::Serialize(response, &response_, &own)
          .ok());
  return absl::OkStatus();
}

void UploadReactor::End(absl::Status status) {
  if (ended_) return;
  ended_ = true;
  status_ = std::move(status);
  upload_.Clear();
  room_ = {};
  Finish(ToGrpcStatus(status_));
}

void UploadReactor::OnCancel() {
  std::lock_guard lock(mu_);
  End(CancelReason(deadline_));
}

void UploadReactor::CheckTime(Clock::time_point now) {
  std::lock_guard lock(mu_);
  if (ended_) return;
  if (now >= deadline_) {
    End(TimedOutError());
  } else if (absl::Status stalled = upload_.CheckStall(now); !stalled.ok()) {
    rejected_ = "stalled";
    End(std::move(stalled));
  }
}

void UploadReactor::Abort() {
  std::lock_guard lock(mu_);
  End(StoppingError());
}

void UploadReactor::OnDone() {
  Report();
  host_.monitor.Remove(*this);  // from here on the host may be gone
  delete this;
}

void UploadReactor::Report() {
  std::lock_guard lock(mu_);  // nobody else is left; the lock orders what they wrote before
  if (!volume_id_.empty() && context_.IsCancelled()) {
    // The answer did not arrive: nobody knows the id. It may have been idle for too long already.
    host_.volumes.Release(volume_id_, PeerIdentity(*context_.auth_context())).IgnoreError();
  }
  const absl::StatusCode code = status_.code();
  host_.metrics.UploadEnded(NameOf(code));
  if (code == absl::StatusCode::kCancelled) host_.metrics.Cancelled("receive");
  if (const char* reason = RejectionReason(code, rejected_)) host_.metrics.Rejected(reason);
  LogFields log{{"volume", volume_id_.substr(0, kLoggedIdLength)},
                {"code", NameOf(code)},
                {"seconds", Seconds(Clock::now() - start_).count()}};
  if (LevelOf(code) >= LogLevel::kWarning) log["message"] = status_.message();
  LogEvent(LevelOf(code), "upload", log);
}

}  // namespace nnseg
