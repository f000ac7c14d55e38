#ifndef NNSEG_CORE_INFERENCE_PROBE_TILE_H_
#define NNSEG_CORE_INFERENCE_PROBE_TILE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/inference/patch_network.h"

namespace nnseg {

/// A patch on which the precisions of a network are compared when it is loaded: a bright ellipsoid
/// with soft borders in a dark field, with noise, about as an image looks once it is normalised.
/// The same bits on every host.
std::vector<float> ProbeTile(const PatchSignature& signature);

/// How the logits of one precision compare with those of fp32.
struct ProbeAgreement {
  bool finite = true;        ///< all logits are
  double equal_percent = 0;  ///< voxels with the same largest channel, or sign of the only one

  /// Finite, and equal in at least 99.5 % of the voxels.
  bool passes() const;
  /// "agrees in 99.1234 % of the voxels, expected 99.5 %".
  std::string ToString() const;
};

/// Compares two outputs of one network, (channels x patch). REQUIRES: equal sizes.
ProbeAgreement CompareProbes(std::span<const float> expected, std::span<const float> logits,
                             int64_t channels);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_PROBE_TILE_H_
