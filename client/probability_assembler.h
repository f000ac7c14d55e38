#ifndef NNSEG_CLIENT_PROBABILITY_ASSEMBLER_H_
#define NNSEG_CLIENT_PROBABILITY_ASSEMBLER_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/io/probability_map.h"
#include "client/labelled_boxes.h"
#include "segmentation/v1/segmentation_service.pb.h"

namespace nnseg {

/// Puts a server's probability chunks together and checks that each channel has every voxel of the
/// labelled boxes exactly once. Errors are DATA_LOSS, or RESOURCE_EXHAUSTED when there is no memory
/// for channels x voxels in float32. One thread at a time.
class ProbabilityAssembler {
 public:
  /// Expects channels on the grid `geometry`, of regions or of labels (background first).
  ProbabilityAssembler(const Geometry& geometry, bool has_regions)
      : geometry_(geometry), has_regions_(has_regions) {}

  /// Once, before the chunks.
  absl::Status Start(const ::segmentation::v1::ResultHeader& header);
  absl::Status Add(const ::segmentation::v1::ProbabilityChunk& chunk);
  /// All channels, nnU-Net's values outside of the labelled box included.
  absl::StatusOr<ProbabilityMap> Finish() &&;

 private:
  const Geometry geometry_;
  const bool has_regions_;
  ::segmentation::v1::ProbabilityType type_ = ::segmentation::v1::PROBABILITY_TYPE_UNSPECIFIED;
  int channels_ = 0;
  LabelledBoxes boxes_;
  int64_t missing_ = 0;        ///< values that no chunk has brought yet
  std::vector<bool> covered_;  ///< of all channels, C order
  ProbabilityMap map_;
};

}  // namespace nnseg

#endif  // NNSEG_CLIENT_PROBABILITY_ASSEMBLER_H_
