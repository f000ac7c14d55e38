#ifndef NNSEG_CLIENT_SEGMENTATION_CLIENT_H_
#define NNSEG_CLIENT_SEGMENTATION_CLIENT_H_

#include <grpcpp/channel.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/call_canceller.h"
#include "client/io/image.h"
#include "client/io/probability_map.h"
#include "segmentation/v1/segmentation_service.grpc.pb.h"

namespace nnseg {

/// What to ask for beside the image. Defaults are the server's.
struct SegmentParameters {
  ::segmentation::v1::ModelSpec model;
  ::segmentation::v1::SegmentOptions options;
  std::vector<::segmentation::v1::Region> regions;   ///< to segment; none: the whole image
  std::string request_id;                            ///< empty: the server makes one
  std::optional<std::chrono::milliseconds> timeout;  ///< for the whole call; none: no limit
  CallCanceller* canceller = nullptr;                ///< not owned; may be null
  /// A volume that the server keeps of the image (volume_client.h): its voxels are not sent. Empty:
  /// they are.
  std::string volume_id;
  /// Labels of a cascade's previous stage, of the image's shape; not owned; null: the model's own
  /// previous stage runs.
  const Volume<uint16_t>* previous_labels = nullptr;
  /// GetModelResponse.has_regions; matters only when the options ask for probabilities.
  bool has_regions = false;
  /// Called on the calling thread, while the call runs; may be empty.
  std::function<void(const ::segmentation::v1::Progress&)> on_progress;
  /// Likewise, for each message of the answer, before it is taken.
  std::function<void(const ::segmentation::v1::SegmentResponse&)> on_response;
};

/// A finished case.
struct SegmentResult {
  LabelMap labels;
  std::optional<ProbabilityMap> probabilities;  ///< when the options asked for them
  ::segmentation::v1::Accepted accepted;        ///< holds the request's id
  ::segmentation::v1::Summary summary;          ///< what the server says that it did
};

/// Segments images on a server.
///
/// Example:
///   NNSEG_ASSIGN_OR_RETURN(auto channel, OpenChannel("localhost:8001", {}));
///   NNSEG_ASSIGN_OR_RETURN(Image image, ReadImage({"scan.nii.gz"}));
///   SegmentParameters parameters;
///   parameters.model.set_name("brain-t1");
///   auto result = SegmentationClient(channel).Segment(image, parameters);
///
/// Thread-safe: each call is a stream of its own.
class SegmentationClient {
 public:
  explicit SegmentationClient(const std::shared_ptr<grpc::Channel>& channel);

  /// Sends the image and waits for its labels. The upload and the answer run at the same time, so a
  /// refusal ends the upload. The server's status comes back as it is; DATA_LOSS means that the
  /// answer broke the protocol (label_assembler.h).
  absl::StatusOr<SegmentResult> Segment(const Image& image,
                                        const SegmentParameters& parameters) const;

 private:
  std::unique_ptr<::segmentation::v1::SegmentationService::StubInterface> stub_;
};

}  // namespace nnseg

#endif  // NNSEG_CLIENT_SEGMENTATION_CLIENT_H_
