#ifndef NNSEG_CLIENT_VOLUME_CLIENT_H_
#define NNSEG_CLIENT_VOLUME_CLIENT_H_

#include <grpcpp/channel.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "client/call_canceller.h"
#include "client/io/image.h"
#include "segmentation/v1/volume_service.grpc.pb.h"

namespace nnseg {

/// How to keep an image.
struct VolumeParameters {
  /// Freed after so long without use; none, and at most: the server's limit.
  std::optional<std::chrono::milliseconds> idle_timeout;
  std::optional<std::chrono::milliseconds> timeout;  ///< for the whole call; none: no limit
  CallCanceller* canceller = nullptr;                ///< not owned; may be null
};

/// Keeps images on a server, so that several requests (SegmentParameters::volume_id) need one
/// upload. Thread-safe.
class VolumeClient {
 public:
  explicit VolumeClient(const std::shared_ptr<grpc::Channel>& channel);

  /// Sends the image. The server's status comes back as it is.
  absl::StatusOr<::segmentation::v1::UploadVolumeResponse> Upload(
      const Image& image, const VolumeParameters& parameters) const;

  /// Frees a volume. NOT_FOUND when the server has none of that id for this client.
  absl::Status Release(const std::string& volume_id,
                       std::optional<std::chrono::milliseconds> timeout) const;

 private:
  std::unique_ptr<::segmentation::v1::VolumeService::StubInterface> stub_;
};

}  // namespace nnseg

#endif  // NNSEG_CLIENT_VOLUME_CLIENT_H_
