#ifndef NNSEG_SERVER_LABEL_CHECKSUM_H_
#define NNSEG_SERVER_LABEL_CHECKSUM_H_

#include <cstdint>

#include "core/geometry/index.h"
#include "core/volume/label_map.h"

namespace nnseg {

/// CRC-32 of a whole label map (C order, plain little-endian labels) from blocks that arrive in any
/// order and leave out background: the map itself is never held. One thread at a time.
///
/// A CRC is affine: each run of bytes changes the checksum of an all-zero map by a value that
/// depends only on the run and on the number of bytes behind it.
class LabelChecksum {
 public:
  LabelChecksum() = default;
  /// A map of zeros of `shape` (z, y, x).
  LabelChecksum(const Shape3& shape, LabelType type);

  /// Paints a block. REQUIRES: within the map, not overlapping earlier blocks.
  void Add(const LabelBlock& block);

  uint32_t value() const { return value_; }

 private:
  Shape3 shape_{};
  LabelType type_ = LabelType::kUint8;
  uint32_t value_ = 0;
};

}  // namespace nnseg

#endif  // NNSEG_SERVER_LABEL_CHECKSUM_H_
