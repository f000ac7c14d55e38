#ifndef NNSEG_TESTS_PARITY_PARITY_CASE_H_
#define NNSEG_TESTS_PARITY_PARITY_CASE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace nnseg::parity {

/// One run of stock nnU-Net whose outputs are kept under tests/data/golden.
struct ParityCase {
  std::string name;  ///< "brain-t1/oblique_f01_tta_s050"
  std::filesystem::path bundle;
  std::vector<std::string> inputs;  ///< channel files
  std::vector<std::string> folds;
  bool mirroring = true;
  double tile_step_size = 0.5;
  std::string labels;                        ///< nnU-Net's label map
  std::map<std::string, std::string> dumps;  ///< stage name to the JSON that describes its dump
};

/// All cases of tests/data/golden/index.json, paths made absolute.
std::vector<ParityCase> LoadParityCases();

/// A stage's array as nnU-Net held it, every stride-th voxel along each spatial axis.
struct StageDump {
  std::string dtype;           ///< "float32" or "float16"
  std::vector<int64_t> shape;  ///< of the whole array: channels, internal axes
  int64_t stride = 1;
  std::vector<std::byte> bytes;  ///< of the stored voxels, little-endian
};

StageDump LoadStageDump(const std::filesystem::path& description);

}  // namespace nnseg::parity

#endif  // NNSEG_TESTS_PARITY_PARITY_CASE_H_
