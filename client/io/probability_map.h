#ifndef NNSEG_CLIENT_IO_PROBABILITY_MAP_H_
#define NNSEG_CLIENT_IO_PROBABILITY_MAP_H_

#include <string>

#include "absl/status/status.h"
#include "client/io/image.h"

namespace nnseg {

/// Class probabilities on an image's grid.
struct ProbabilityMap {
  Geometry geometry;
  VoxelBuffer values;  ///< float32, (channel, z, y, x)
};

/// Whether WriteProbabilities could make `path`. INVALID_ARGUMENT, NOT_FOUND or PERMISSION_DENIED.
absl::Status CheckProbabilityPath(const std::string& path);

/// Writes probabilities by the ending of `path`: .npz as nnU-Net does (key "probabilities",
/// float32, (channel, a0, a1, a2) in the image's axes, deflated); .nii.gz, .nii or .nrrd as an
/// image of four axes, x, y, z of the file `file` describes, and then channels. INVALID_ARGUMENT
/// when it cannot be written.
absl::Status WriteProbabilities(const ProbabilityMap& map, const FileGrid& file,
                                const std::string& path);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_PROBABILITY_MAP_H_
