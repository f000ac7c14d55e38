#ifndef NNSEG_TESTS_PARITY_PARITY_CASE_H_
#define NNSEG_TESTS_PARITY_PARITY_CASE_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/pipeline/segmentation_case.h"

namespace nnseg::parity {

/// A stage's array as nnU-Net held it: (channels, internal axes), every stride-th voxel along each
/// spatial axis, C order, little-endian.
struct StageReference {
  std::vector<int64_t> shape;  ///< of the whole array
  int64_t stride = 1;
  std::string sha256;  ///< of the kept voxels' bytes
  std::string file;    ///< that holds them; empty: only the hash is known
};

/// What one model's networks saw (float) and gave (half, before resampling).
struct RunReference {
  std::string model;
  std::optional<StageReference> preprocessed;
  std::optional<StageReference> logits;
};

/// One image for one model, and the files that hold what stock nnU-Net makes of it.
struct ParityCase {
  std::string name;                  ///< "row03_thick_slices"
  int row = 0;                       ///< of the table in docs/parity.md; 0: none
  std::filesystem::path repository;  ///< of the model
  std::string model;
  std::vector<std::string> inputs;  ///< channel files, or one .npy file
  PixelType npy_type = PixelType::kUint8;
  Spacing3 npy_spacing{};  ///< reader axes; of a .npy file
  SegmentationOptions options;
  std::string previous_labels;  ///< brought by the case; empty: none
  std::string labels;
  std::optional<LabelType> label_type;
  std::string probabilities;       ///< empty: not asked for
  std::vector<RunReference> runs;  ///< in the order in which nnU-Net ran; empty: not kept
};

/// For GoogleTest.
inline void PrintTo(const ParityCase& parity_case, std::ostream* out) { *out << parity_case.name; }

/// All cases of tests/data/golden: real models on real images.
std::vector<ParityCase> LoadGoldenCases();

/// All cases of a folder written by case_folder.py.
std::vector<ParityCase> LoadCaseFolder(const std::filesystem::path& folder);

/// An image in the reader's axes.
struct CaseImage {
  VoxelBuffer voxels;
  Spacing3 spacing{};
};

absl::StatusOr<CaseImage> LoadImage(const ParityCase& parity_case);

/// A label map from a .npy or an image file.
absl::StatusOr<Volume<uint16_t>> LoadLabels(const std::string& path);

}  // namespace nnseg::parity

#endif  // NNSEG_TESTS_PARITY_PARITY_CASE_H_
