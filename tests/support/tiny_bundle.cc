#include "tests/support/tiny_bundle.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/check.h"

namespace nnseg {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

std::string Sha256(const std::string& content) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  NNSEG_CHECK(EVP_Digest(content.data(), content.size(), digest.data(), &length, EVP_sha256(),
                         nullptr) == 1);
  std::string hex;
  for (unsigned i = 0; i < length; ++i) absl::StrAppendFormat(&hex, "%02x", digest[i]);
  return hex;
}

ordered_json Resampling(int order) {
  return {{"is_seg", false}, {"order", order}, {"order_z", 0}, {"force_separate_z", nullptr}};
}

ordered_json Plans(const TinyBundleOptions& options) {
  std::vector<int> backward(3);
  for (int i = 0; i < 3; ++i) backward[options.transpose_forward[i]] = i;
  ordered_json intensity;
  for (std::size_t c = 0; c < options.channels.size(); ++c) {
    intensity[absl::StrCat(c)] = {
        {"mean", 10.0}, {"std", 3.0}, {"percentile_00_5", 1.0}, {"percentile_99_5", 20.0}};
  }
  const auto channels = options.channels.size();
  return {{"dataset_name", "Dataset999_Tiny"},
          {"plans_name", "nnUNetPlans"},
          {"image_reader_writer", "SimpleITKIO"},
          {"transpose_forward", options.transpose_forward},
          {"transpose_backward", backward},
          {"configurations",
           {{"3d_fullres",
             {{"preprocessor_name", "DefaultPreprocessor"},
              {"patch_size", options.patch_size},
              {"spacing", std::vector<double>(3, options.spacing_mm)},
              {"normalization_schemes", std::vector<std::string>(channels, "ZScoreNormalization")},
              {"use_mask_for_norm", std::vector<bool>(channels, false)},
              {"resampling_fn_data", "resample_data_or_seg_to_shape"},
              {"resampling_fn_data_kwargs", Resampling(3)},
              {"resampling_fn_seg", "resample_data_or_seg_to_shape"},
              {"resampling_fn_seg_kwargs", Resampling(1)},
              {"resampling_fn_probabilities", "resample_data_or_seg_to_shape"},
              {"resampling_fn_probabilities_kwargs", Resampling(1)},
              {"architecture",
               {{"network_class_name", "PlainConvUNet"},
                {"arch_kwargs", ordered_json::object()},
                {"_kw_requires_import", ordered_json::array()}}}}}}},
          {"label_manager", "LabelManager"},
          {"foreground_intensity_properties_per_channel", intensity}};
}

ordered_json Dataset(const TinyBundleOptions& options) {
  ordered_json labels{{"background", 0}};
  for (int label = 1; label <= options.foreground_labels; ++label) {
    labels[absl::StrCat("label_", label)] = label;
  }
  ordered_json channels;
  for (std::size_t c = 0; c < options.channels.size(); ++c) {
    channels[absl::StrCat(c)] = options.channels[c];
  }
  return {{"channel_names", channels}, {"labels", labels}, {"file_ending", ".nii.gz"}};
}

ordered_json Manifest(const TinyBundleOptions& options) {
  ordered_json labels = ordered_json::array({{{"name", "background"}, {"values", {0}}}});
  for (int label = 1; label <= options.foreground_labels; ++label) {
    labels.push_back({{"name", absl::StrCat("label_", label)}, {"values", {label}}});
  }
  ordered_json torch;
  ordered_json checkpoints;
  for (const std::string& fold : options.folds) {
    torch[fold] = {{"file", absl::StrCat("fold_", fold, ".pt")},
                   {"max_abs_difference", 0.0},
                   {"tolerance", 0.0}};
    checkpoints[fold] = {{"sha256", std::string(64, '0')}};
  }
  return {{"format_version", 1},
          {"name", options.name},
          {"version", options.version},
          {"created", "2026-01-01T00:00:00Z"},
          {"intended_use", "tests"},
          {"model",
           {{"dataset_name", "Dataset999_Tiny"},
            {"trainer", "nnUNetTrainer"},
            {"plans_name", "nnUNetPlans"},
            {"configuration", "3d_fullres"},
            {"checkpoint", "checkpoint_final.pth"}}},
          {"folds", options.folds},
          {"mirroring_axes", options.mirroring_axes},
          {"channel_names", options.channels},
          {"network_input_channels", options.channels.size()},
          {"network_output_channels", options.foreground_labels + 1},
          {"patch_size", options.patch_size},
          {"labels", labels},
          {"regions_class_order", nullptr},
          {"image_reader_writer", "SimpleITKIO"},
          {"file_ending", ".nii.gz"},
          {"expected_memory_bytes", {{"weights", 1000}, {"activations", 1000}}},
          {"engines", {{"torch", torch}}},
          {"producer", {{"nnseg_export", "0"}}},
          {"provenance", {{"source", "tests"}, {"license", ""}, {"checkpoints", checkpoints}}}};
}

}  // namespace

fs::path WriteTinyBundle(const fs::path& repository, const TinyBundleOptions& options) {
  const fs::path folder = repository / options.name / absl::StrCat(options.version);
  fs::create_directories(folder);
  ordered_json manifest = Manifest(options);
  const auto add = [&](const std::string& name, const std::string& content) {
    std::ofstream(folder / name, std::ios::binary) << content;
    manifest["files"][name] = {{"sha256", Sha256(content)}, {"size", content.size()}};
  };
  add("plans.json", Plans(options).dump(1));
  add("dataset.json", Dataset(options).dump(1));
  for (const std::string& fold : options.folds) {
    add(absl::StrCat("fold_", fold, ".pt"), absl::StrCat("placeholder of fold ", fold));
  }
  std::ofstream(folder / "manifest.json") << manifest.dump(1);
  return folder;
}

absl::StatusOr<std::unique_ptr<PatchNetwork>> FakeNetworkLoader::Load(
    const std::string& file, const PatchSignature& signature) {
  const std::string stem = fs::path(file).stem();  // "fold_1"
  int fold = 0;
  static_cast<void>(absl::SimpleAtoi(stem.substr(stem.find('_') + 1), &fold));  // "all" stays 0
  auto network = std::make_unique<FakePatchNetwork>(signature, fold);
  configure_(*network);
  return network;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = fs::temp_directory_path() / "nnseg_test_XXXXXX";
  NNSEG_CHECK(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace nnseg
