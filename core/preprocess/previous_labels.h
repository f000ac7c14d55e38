#ifndef NNSEG_CORE_PREPROCESS_PREVIOUS_LABELS_H_
#define NNSEG_CORE_PREPROCESS_PREVIOUS_LABELS_H_

#include <cstdint>
#include <span>

#include "core/geometry/box.h"
#include "core/volume/volume.h"

namespace nnseg {

/// What a cascade does with the label map of its previous stage (nnU-Net 2.8.1, preprocessing/
/// cropping and label_handling.convert_labelmap_to_one_hot). All three use ParallelFor.

/// The labels within `box`, with -1 for background outside of the image's filled non-zero mask.
/// Other labels stay wherever they are. `labels` and `mask`, which has the shape of `box`, are in
/// the reader's axes. REQUIRES: one channel each.
Volume<int32_t> CropPreviousLabels(const Volume<uint16_t>& labels, const Box3& box,
                                   const Volume<uint8_t>& mask);

/// The voxels that normalisation takes under its mask: 1 where a label is not -1.
Volume<uint8_t> NormalizationMask(const Volume<int32_t>& labels);

/// Writes one channel for each of `foreground` into `image`, from channel `first_channel` on: 1
/// where the label is, else 0. REQUIRES: image has these channels and the shape of `labels`.
void EncodeOneHot(const Volume<int32_t>& labels, std::span<const int> foreground,
                  int64_t first_channel, Volume<float>& image);

}  // namespace nnseg

#endif  // NNSEG_CORE_PREPROCESS_PREVIOUS_LABELS_H_
