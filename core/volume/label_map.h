#ifndef NNSEG_CORE_VOLUME_LABEL_MAP_H_
#define NNSEG_CORE_VOLUME_LABEL_MAP_H_

#include <cstdint>

#include "core/geometry/box.h"
#include "core/volume/volume.h"
#include "core/volume/voxel_buffer.h"

namespace nnseg {

/// The number type of label maps: uint8 below 255 foreground labels, else uint16 (nnU-Net 2.8.1,
/// inference/export_prediction).
enum class LabelType { kUint8, kUint16 };

inline LabelType LabelTypeFor(int64_t foreground_labels) {
  return foreground_labels < 255 ? LabelType::kUint8 : LabelType::kUint16;
}

/// A part of a label map in the reader's axes (z, y, x): `labels` has one channel and the shape of
/// `box`. Values are held as uint16; `LabelType` says how they are stored and sent.
struct LabelBlock {
  Box3 box;
  Volume<uint16_t> labels;
  bool provisional = false;  ///< post-processing may still change them
};

/// Copies a block into the label map of `box`, which holds the block's box.
void PasteLabels(const LabelBlock& block, const Box3& box, Volume<uint16_t>& labels);

/// A label map as sent. REQUIRES: one channel of uint8 or uint16.
Volume<uint16_t> ToLabels(const VoxelBuffer& voxels);

/// Class probabilities of a part of the image in the reader's axes: `values` has one channel for
/// each of the network's outputs (softmax over labels, or one sigmoid for each region) and the
/// shape of `box`. Outside of all blocks background has 1 and all else 0 (regions: all 0).
struct ProbabilityBlock {
  Box3 box;
  Volume<float> values;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_VOLUME_LABEL_MAP_H_
