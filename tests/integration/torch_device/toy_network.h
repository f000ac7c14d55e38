#ifndef NNSEG_TESTS_INTEGRATION_TORCH_DEVICE_TOY_NETWORK_H_
#define NNSEG_TESTS_INTEGRATION_TORCH_DEVICE_TOY_NETWORK_H_

#include <string>

#include "core/inference/patch_network.h"

namespace nnseg {

/// Writes a TorchScript network of one input and three output channels, which looks past each voxel
/// along the first axis of its patch and along the last, so that mirrors matter, and whose bits do
/// not depend on the batch. `gain` tells folds apart. The call with number `fails_at` (from 1 on,
/// as counted from loading; 0: none) ends as if memory were short.
void WriteToyNetwork(const std::string& file, int patch_dimensions, double gain, int fails_at = 0);

/// Writes a TorchScript network of volumes with the same numbers of channels: one convolution,
/// whose weights are multiplied by `gain`.
void WriteConvolution(const std::string& file, double gain);

/// The signature of both, for patches of a size.
PatchSignature ToySignature(const Shape3& patch_size, int patch_dimensions = 3);

}  // namespace nnseg

#endif  // NNSEG_TESTS_INTEGRATION_TORCH_DEVICE_TOY_NETWORK_H_
