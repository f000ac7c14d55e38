#include "tests/parity/parity_case.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "client/io/image_reader.h"
#include "core/base/status_macros.h"
#include "tests/support/golden.h"

namespace nnseg::parity {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// From an entry of a case folder's index. The path is relative to the folder.
StageReference HashedStage(const json& entry, const fs::path& folder) {
  StageReference stage{.shape = entry.at("shape").get<std::vector<int64_t>>(),
                       .sha256 = entry.at("sha256")};
  if (entry.contains("file")) stage.file = folder / entry.at("file").get<std::string>();
  return stage;
}

// From the JSON file beside a dump of make_goldens.py.
StageReference DumpedStage(const fs::path& description) {
  const json entry = ReadJson(description);
  return {.shape = entry.at("shape").get<std::vector<int64_t>>(),
          .stride = entry.at("stride"),
          .sha256 = entry.at("sha256"),
          .file = description.parent_path() / entry.at("file").get<std::string>()};
}

std::string PathOrNothing(const json& entry, const char* key, const fs::path& folder) {
  const json& value = entry.at(key);
  return value.is_null() ? "" : (folder / value.get<std::string>()).string();
}

bool IsNpy(const std::string& path) { return fs::path(path).extension() == ".npy"; }

template <typename T>
VoxelBuffer NpyVoxels(const std::string& path, PixelType type) {
  const Volume<T> values = ReadNpy<T>(path);
  VoxelBuffer voxels = *VoxelBuffer::Allocate(type, values.channels(), values.shape());
  std::memcpy(voxels.bytes().data(), values.voxels().data(), voxels.bytes().size());
  return voxels;
}

}  // namespace

std::vector<ParityCase> LoadGoldenCases() {
  const fs::path root = fs::path(TestDataPath("")).parent_path().parent_path().parent_path();
  std::vector<ParityCase> cases;
  const json index = ReadJson(TestDataPath("golden/index.json"));
  for (const json& entry : index.at("cases")) {
    const fs::path bundle = root / entry.at("bundle").get<std::string>();
    ParityCase parity_case{.name = entry.at("name"),
                           .repository = bundle.parent_path().parent_path(),
                           .model = bundle.parent_path().filename(),
                           .labels = root / entry.at("labels").get<std::string>()};
    for (const std::string input : entry.at("inputs")) {
      parity_case.inputs.push_back(root / input);
    }
    parity_case.options.folds = entry.at("folds").get<std::vector<std::string>>();
    parity_case.options.use_mirroring = entry.at("tta");
    parity_case.options.tile_step_size = entry.at("step_size");
    parity_case.options.postprocess = false;
    RunReference run{.model = parity_case.model};
    const json& dumps = entry.at("dumps");
    if (dumps.contains("preprocessed"))
      run.preprocessed = DumpedStage(root / dumps["preprocessed"]);
    if (dumps.contains("logits")) run.logits = DumpedStage(root / dumps["logits"]);
    if (!dumps.empty()) parity_case.runs.push_back(std::move(run));
    cases.push_back(std::move(parity_case));
  }
  return cases;
}

std::vector<ParityCase> LoadCaseFolder(const fs::path& folder) {
  std::vector<ParityCase> cases;
  const json index = ReadJson(folder / "index.json");
  for (const json& entry : index.at("cases")) {
    const json& options = entry.at("options");
    ParityCase parity_case{
        .name = entry.at("name"),
        .row = entry.at("row").is_null() ? 0 : entry.at("row").get<int>(),
        .repository = folder / "models",
        .model = entry.at("model"),
        .inputs = {PathOrNothing(entry, "image", folder)},
        .npy_type = entry.at("image_type") == "uint8" ? PixelType::kUint8 : PixelType::kFloat32,
        .npy_spacing = TripleFrom<Spacing3>(entry.at("spacing")),
        .previous_labels = PathOrNothing(entry, "previous_labels", folder),
        .labels = PathOrNothing(entry, "labels", folder),
        .label_type = entry.at("labels_type") == "uint8" ? LabelType::kUint8 : LabelType::kUint16,
        .probabilities = PathOrNothing(entry, "probabilities", folder)};
    parity_case.options = {.engine = "torch",
                           .folds = options.at("folds").get<std::vector<std::string>>(),
                           .tile_step_size = options.at("step_size"),
                           .use_gaussian = options.at("gaussian"),
                           .use_mirroring = options.at("mirroring"),
                           .postprocess = options.at("postprocessing").get<bool>(),
                           .probabilities = options.at("probabilities")};
    for (const json& stage : entry.at("stages")) {
      parity_case.runs.push_back({.model = stage.at("model"),
                                  .preprocessed = HashedStage(stage.at("preprocessed"), folder),
                                  .logits = HashedStage(stage.at("logits"), folder)});
    }
    cases.push_back(std::move(parity_case));
  }
  return cases;
}

absl::StatusOr<CaseImage> LoadImage(const ParityCase& parity_case) {
  const std::string& first = parity_case.inputs.front();
  if (IsNpy(first)) {
    return CaseImage{parity_case.npy_type == PixelType::kUint8
                         ? NpyVoxels<uint8_t>(first, PixelType::kUint8)
                         : NpyVoxels<float>(first, PixelType::kFloat32),
                     parity_case.npy_spacing};
  }
  NNSEG_ASSIGN_OR_RETURN(Image image, ReadImage(parity_case.inputs));
  return CaseImage{std::move(image.voxels), image.geometry.spacing()};
}

absl::StatusOr<Volume<uint16_t>> LoadLabels(const std::string& path) {
  if (IsNpy(path)) return ReadNpy<uint16_t>(path);
  NNSEG_ASSIGN_OR_RETURN(const Image image, ReadImage({path}));
  return ToLabels(image.voxels);
}

}  // namespace nnseg::parity
