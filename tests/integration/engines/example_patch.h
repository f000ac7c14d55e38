#ifndef NNSEG_TESTS_INTEGRATION_ENGINES_EXAMPLE_PATCH_H_
#define NNSEG_TESTS_INTEGRATION_ENGINES_EXAMPLE_PATCH_H_

#include <string>
#include <vector>

#include "core/inference/patch_network.h"

namespace nnseg {

/// Threads that the tests give each engine.
inline constexpr int kEngineThreads = 2;

/// The signature of examples/models/brain-t1/1.
inline constexpr PatchSignature kExampleSignature{
    .input_channels = 1, .output_channels = 5, .patch_size = {{64, 64, 64}}};

/// The signature of tests/data/models/photo-2d/1, a network of slices.
inline constexpr PatchSignature kSliceSignature{.input_channels = 3,
                                                .output_channels = 4,
                                                .patch_size = {{1, 128, 160}},
                                                .patch_dimensions = 2};

/// The path of tests/data/`name`.
std::string DataFile(const std::string& name);

/// A file of examples/models/brain-t1/1.
std::string ExampleFile(const std::string& name);

/// A bright ball in a dark field with noise, about as an image looks once it is normalised. The
/// same bits as patch() of make_golden.py.
std::vector<float> ExamplePatch();

/// A bright disk in a dark picture of three channels, with noise. The same bits as picture() of
/// make_golden.py.
std::vector<float> SlicePatch();

/// The label of each voxel: the channel of its largest logit, the first of equals.
std::vector<int> Labels(const std::vector<float>& logits,
                        const PatchSignature& signature = kExampleSignature);

/// Share of voxels with the same label, in percent.
double PercentEqual(const std::vector<int>& a, const std::vector<int>& b);

/// One pass, whose status must be OK.
std::vector<float> RunOnce(PatchNetwork& network, const std::vector<float>& patch);

}  // namespace nnseg

#endif  // NNSEG_TESTS_INTEGRATION_ENGINES_EXAMPLE_PATCH_H_
