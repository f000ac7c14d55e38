#ifndef NNSEG_SERVER_UPLOAD_REACTOR_H_
#define NNSEG_SERVER_UPLOAD_REACTOR_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "segmentation/v1/volume_service.pb.h"
#include "server/image_upload.h"
#include "server/metrics.h"
#include "server/stream_monitor.h"
#include "server/volume_store.h"

namespace nnseg {

/// What all UploadVolume streams share. The parts outlive every stream.
struct UploadHost {
  VolumeStore& volumes;
  Metrics& metrics;
  StreamMonitor& monitor;
  const std::atomic<bool>& draining;
  std::chrono::duration<double> max_request;
  std::chrono::duration<double> stall;
};

/// One UploadVolume stream, from its first message to its status, under the rules of a Segment
/// stream's upload. Works on serialized messages, so that voxels are copied once. gRPC's OnDone
/// deletes the reactor.
class UploadReactor final : public grpc::ServerReadReactor<grpc::ByteBuffer>,
                            private MonitoredStream {
 public:
  /// `response` is serialized into before the stream ends with OK.
  UploadReactor(grpc::CallbackServerContext& context, UploadHost& host, grpc::ByteBuffer& response);

  void OnReadDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  using Clock = std::chrono::steady_clock;

  // MonitoredStream: from the monitor's thread.
  void CheckTime(Clock::time_point now) override;
  void Abort() override;

  // All of these need the lock.
  absl::Status TakeMessage();
  absl::Status TakeHeader(const ::segmentation::v1::VolumeHeader& header);
  absl::Status KeepImage();
  void End(absl::Status status);

  void Report();

  grpc::CallbackServerContext& context_;
  UploadHost& host_;
  grpc::ByteBuffer& response_;
  const Clock::time_point start_ = Clock::now();
  const Clock::time_point deadline_;

  std::mutex mu_;
  bool ended_ = false;
  absl::Status status_;             // once ended
  const char* rejected_ = nullptr;  // reason for the metrics
  grpc::ByteBuffer reading_;
  ImageUpload upload_;
  VolumeStore::Room room_;
  Geometry geometry_;
  VolumeStore::Clock::duration max_idle_{};
  std::string volume_id_;  // once kept
};

}  // namespace nnseg

#endif  // NNSEG_SERVER_UPLOAD_REACTOR_H_
