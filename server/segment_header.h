#ifndef NNSEG_SERVER_SEGMENT_HEADER_H_
#define NNSEG_SERVER_SEGMENT_HEADER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/geometry/geometry.h"
#include "core/model/model_repository.h"
#include "core/pipeline/segmentation_case.h"
#include "segmentation/v1/segmentation_service.pb.h"
#include "server/volume_store.h"

namespace nnseg {

/// A header that has been checked in every respect: what it asks for can be done.
struct AcceptedCase {
  std::shared_ptr<const LoadedModel> model;
  Geometry geometry;
  PixelType pixel_type = PixelType::kFloat32;
  int64_t channels = 1;
  SegmentationOptions options;
  std::vector<Box3> regions;                      ///< array axes, disjoint; none: the whole image
  std::optional<PixelType> previous_labels_type;  ///< of the labels that follow the image
  ::segmentation::v1::LabelEncoding label_encoding = ::segmentation::v1::LABEL_ENCODING_ZLIB;
  ::segmentation::v1::ProbabilityType probability_type =
      ::segmentation::v1::PROBABILITY_TYPE_UNSPECIFIED;
  /// Host bytes that the case takes at its peak: what is sent, working memory and transport.
  int64_t bytes = 0;
  /// Device bytes; 0 where no volume is kept on a device.
  int64_t device_bytes = 0;
};

/// Checks a header and borrows its model. `kept` is the image of the volume that the header names;
/// null when it names none and the image is sent. The codes are those of
/// SegmentationService.Segment; no memory is taken that grows with the image.
absl::StatusOr<AcceptedCase> CheckHeader(const ::segmentation::v1::SegmentHeader& header,
                                         const ModelRepository& repository,
                                         const KeptImage* kept = nullptr);

/// The client's id if it is one of [A-Za-z0-9._-]{1,64}, else a random one.
std::string RequestIdFor(const std::string& client_id);

}  // namespace nnseg

#endif  // NNSEG_SERVER_SEGMENT_HEADER_H_
