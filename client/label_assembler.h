#ifndef NNSEG_CLIENT_LABEL_ASSEMBLER_H_
#define NNSEG_CLIENT_LABEL_ASSEMBLER_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/io/image.h"
#include "client/labelled_boxes.h"
#include "segmentation/v1/segmentation_service.pb.h"

namespace nnseg {

/// Puts a server's label chunks together and checks that they are what was asked for: the image's
/// own geometry, every voxel of the labelled boxes exactly once, the right checksum. Errors are
/// DATA_LOSS: the server broke the protocol or bytes were damaged. One thread at a time.
class LabelAssembler {
 public:
  /// Expects a label map on the grid `geometry`.
  explicit LabelAssembler(const Geometry& geometry) : geometry_(geometry) {}

  /// Once, before the chunks.
  absl::Status Start(const ::segmentation::v1::ResultHeader& header);
  /// Provisional labels are skipped.
  absl::Status Add(const ::segmentation::v1::LabelChunk& chunk);
  /// The whole map, compared with the CRC-32 of the server's summary.
  absl::StatusOr<LabelMap> Finish(uint32_t expected_crc32) &&;

 private:
  const Geometry geometry_;
  bool started_ = false;
  LabelledBoxes boxes_;
  int64_t missing_ = 0;        ///< voxels of boxes_ that no chunk has brought yet
  std::vector<bool> covered_;  ///< of the whole grid, C order
  LabelMap map_;
};

/// CRC-32 (IEEE) of the map's plain little-endian bytes in C order.
uint32_t Crc32Of(const LabelMap& map);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_LABEL_ASSEMBLER_H_
