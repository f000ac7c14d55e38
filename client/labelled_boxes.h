#ifndef NNSEG_CLIENT_LABELLED_BOXES_H_
#define NNSEG_CLIENT_LABELLED_BOXES_H_

#include <vector>

#include "absl/status/statusor.h"
#include "core/geometry/box.h"
#include "segmentation/v1/segmentation_service.pb.h"

namespace nnseg {

/// The boxes that a server's chunks must cover exactly once: the regions of its result header, or
/// its labelled box. One thread at a time.
class LabelledBoxes {
 public:
  LabelledBoxes() = default;
  /// INVALID_ARGUMENT when a box leaves the image, or a region leaves the labelled box or overlaps
  /// another one.
  static absl::StatusOr<LabelledBoxes> Create(const ::segmentation::v1::ResultHeader& header,
                                              const Shape3& shape);

  /// The box in which a chunk begins, and in which it must lie; any other when it begins in none.
  const Box3& HolderOf(const ::segmentation::v1::Box& chunk) const;
  /// Of all boxes.
  int64_t voxels() const;

 private:
  std::vector<Box3> boxes_{Box3{}};
};

}  // namespace nnseg

#endif  // NNSEG_CLIENT_LABELLED_BOXES_H_
