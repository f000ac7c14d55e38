#ifndef NNSEG_TESTS_INTEGRATION_SERVER_SERVER_FIXTURE_H_
#define NNSEG_TESTS_INTEGRATION_SERVER_SERVER_FIXTURE_H_

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/volume/volume.h"
#include "segmentation/v1/model_service.grpc.pb.h"
#include "segmentation/v1/segmentation_service.grpc.pb.h"
#include "segmentation/v1/volume_service.grpc.pb.h"
#include "server/server.h"
#include "tests/support/tiny_bundle.h"

namespace nnseg {

namespace pb = ::segmentation::v1;

/// What one Segment stream came to.
struct Answer {
  absl::Status status;
  std::vector<pb::SegmentResponse> events;
  /// The label map, pasted from the chunks; empty without a result header.
  Volume<uint16_t> labels;

  /// The last event as a summary. REQUIRES: status is OK.
  const pb::Summary& summary() const { return events.back().summary(); }
};

/// One Segment stream, step by step.
class SegmentCall {
 public:
  explicit SegmentCall(pb::SegmentationService::Stub& stub,
                       std::chrono::milliseconds timeout = std::chrono::seconds(60));

  bool Send(const pb::SegmentHeader& header);
  bool Send(uint64_t offset, const std::string& data);
  bool Send(const pb::SegmentRequest& request) { return stream_->Write(request); }
  /// All voxels in chunks of `chunk_bytes`.
  void SendVoxels(std::span<const std::byte> bytes, std::size_t chunk_bytes = 1000);
  /// Reads until an event for which `wanted` holds; false when the stream ends before.
  bool ReadUntil(const std::function<bool(const pb::SegmentResponse&)>& wanted);
  void CloseSending() { stream_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }
  /// Reads what is left.
  Answer Finish();

 private:
  bool Read();

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<pb::SegmentRequest, pb::SegmentResponse>> stream_;
  std::vector<pb::SegmentResponse> events_;
};

/// One UploadVolume stream, step by step.
class UploadCall {
 public:
  explicit UploadCall(pb::VolumeService::Stub& stub);

  bool Send(const pb::VolumeHeader& header);
  bool Send(uint64_t offset, const std::string& data);
  void SendVoxels(std::span<const std::byte> bytes, std::size_t chunk_bytes = 1000);
  void Cancel() { context_.TryCancel(); }
  /// Closes this side and waits for the answer.
  absl::StatusOr<pb::UploadVolumeResponse> Finish();

 private:
  grpc::ClientContext context_;
  pb::UploadVolumeResponse response_;
  std::unique_ptr<grpc::ClientWriter<pb::UploadVolumeRequest>> stream_;
};

/// A real server on loopback over a generated model "tiny" whose networks are fakes, and clients
/// to it. The host offers torch in fp32, and OpenVINO in fp32, bf16, int8 and int8_bf16 to
/// bundles that have files for it.
class ServerFixture : public testing::Test {
 protected:
  ServerFixture();

  /// Starts a server. `config` is laid over free ports and the generated repository; `configure`
  /// sees every network (its pass 0 is the warm-up).
  void StartServer(
      const std::string& config = "",
      std::function<void(FakePatchNetwork&)> configure = [](auto&) {}, bool load_models = true);

  std::shared_ptr<grpc::Channel> NewChannel(
      const std::shared_ptr<grpc::ChannelCredentials>& credentials =
          grpc::InsecureChannelCredentials()) const;
  pb::SegmentationService::Stub& stub() { return *stub_; }
  pb::VolumeService::Stub& volumes() { return *volumes_; }
  /// Makes both stubs talk over another channel.
  void UseChannel(const std::shared_ptr<grpc::Channel>& channel);

  /// A good header for the image of ImageBytes().
  static pb::SegmentHeader Header();
  static pb::VolumeHeader VolumeHeader();
  /// A random float32 image of kShape with a border of zeros.
  static std::vector<std::byte> ImageBytes();
  /// The labels that the pipeline gives for that image without a server.
  static Volume<uint16_t> ExpectedLabels();
  /// The whole case in one call.
  Answer Segment(const pb::SegmentHeader& header = Header());
  /// Uploads the same image; returns its id. Fails the test when that fails.
  std::string UploadVolume();
  /// A case on a kept volume, which needs no chunks.
  Answer SegmentKept(const std::string& volume_id);
  absl::Status ReleaseVolume(const std::string& volume_id);
  /// For StartServer: every pass after the warm-up waits at gate_.
  std::function<void(FakePatchNetwork&)> HoldPasses();
  /// GET from the HTTP port: status line, headers and body.
  std::string HttpGet(const std::string& path) const;

  static constexpr Shape3 kShape{{14, 12, 10}};

  TemporaryFolder folder_;
  std::shared_ptr<DeviceMemory> device_memory_;  // of the networks' device; null: the host's
  Gate gate_;  // outlives the server, whose threads may still be on their way out of it
  std::unique_ptr<Server> server_;
  std::unique_ptr<pb::SegmentationService::Stub> stub_;
  std::unique_ptr<pb::VolumeService::Stub> volumes_;
};

/// Waits until `condition` holds; false after `timeout`.
bool WaitFor(const std::function<bool()>& condition,
             std::chrono::milliseconds timeout = std::chrono::seconds(20));

/// The resident memory of this process in bytes.
int64_t ResidentBytes();

}  // namespace nnseg

#endif  // NNSEG_TESTS_INTEGRATION_SERVER_SERVER_FIXTURE_H_
