#ifndef NNSEG_TESTS_BENCH_PLAIN_CONV_UNET_H_
#define NNSEG_TESTS_BENCH_PLAIN_CONV_UNET_H_

#include <cstdint>
#include <string>

namespace nnseg {

/// Writes a TorchScript file of nnU-Net's default network for volumes, PlainConvUNet with six
/// stages of 32 to 320 features and two convolutions in each stage, with random weights: as much
/// work as a trained one, 954 GFLOP for a patch of 128 cubed.
void WritePlainConvUNet(const std::string& file, int64_t input_channels, int64_t output_channels);

}  // namespace nnseg

#endif  // NNSEG_TESTS_BENCH_PLAIN_CONV_UNET_H_
