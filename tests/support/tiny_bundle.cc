#include "tests/support/tiny_bundle.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "core/base/check.h"
#include "core/plan/label_table.h"

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

ordered_json Resampling(bool is_seg, int order) {
  return {{"is_seg", is_seg}, {"order", order}, {"order_z", 0}, {"force_separate_z", nullptr}};
}

/// Axes of the patch, outermost first, as internal axes.
std::vector<int> PatchAxes(const TinyBundleOptions& options) {
  return options.patch_dimensions == 2 ? std::vector<int>{1, 2} : std::vector<int>{0, 1, 2};
}

std::vector<int64_t> PatchSize(const TinyBundleOptions& options) {
  std::vector<int64_t> sizes;
  for (int axis : PatchAxes(options)) sizes.push_back(options.patch_size[axis]);
  return sizes;
}

/// Names and values; background first.
std::vector<LabelEntry> Labels(const TinyBundleOptions& options) {
  std::vector<LabelEntry> labels{{"background", {0}}};
  for (const std::vector<int>& values : options.regions) {
    labels.push_back({absl::StrCat("region_", labels.size()), values});
  }
  for (int label = 1; options.regions.empty() && label <= options.foreground_labels; ++label) {
    labels.push_back({absl::StrCat("label_", label), {label}});
  }
  return labels;
}

/// Of the regions, as regions_class_order.
std::vector<int> ClassOrder(const TinyBundleOptions& options) {
  std::vector<int> order(options.regions.size());
  std::iota(order.begin(), order.end(), 1);
  return order;
}

LabelTable Table(const TinyBundleOptions& options) {
  auto table = LabelTable::Create(Labels(options), ClassOrder(options));
  NNSEG_CHECK(table.ok());
  return *std::move(table);
}

ordered_json Configuration(const TinyBundleOptions& options) {
  const auto channels = options.channels.size();
  const std::vector<int64_t> patch = PatchSize(options);
  ordered_json configuration{
      {"preprocessor_name", "DefaultPreprocessor"},
      {"patch_size", patch},
      {"spacing", std::vector<double>(patch.size(), options.spacing_mm)},
      {"normalization_schemes", std::vector<std::string>(channels, "ZScoreNormalization")},
      {"use_mask_for_norm", std::vector<bool>(channels, false)},
      {"resampling_fn_data", "resample_data_or_seg_to_shape"},
      {"resampling_fn_data_kwargs", Resampling(false, 3)},
      {"resampling_fn_seg", "resample_data_or_seg_to_shape"},
      {"resampling_fn_seg_kwargs", Resampling(true, 1)},
      {"resampling_fn_probabilities", "resample_data_or_seg_to_shape"},
      {"resampling_fn_probabilities_kwargs", Resampling(false, 1)},
      {"architecture",
       {{"network_class_name", "PlainConvUNet"},
        {"arch_kwargs", ordered_json::object()},
        {"_kw_requires_import", ordered_json::array()}}}};
  if (!options.previous_configuration.empty()) {
    configuration["previous_stage"] = options.previous_configuration;
  }
  return configuration;
}

ordered_json Plans(const TinyBundleOptions& options) {
  std::vector<int> backward(3);
  for (int i = 0; i < 3; ++i) backward[options.transpose_forward[i]] = i;
  ordered_json intensity;
  for (std::size_t c = 0; c < options.channels.size(); ++c) {
    intensity[absl::StrCat(c)] = {
        {"mean", 10.0}, {"std", 3.0}, {"percentile_00_5", 1.0}, {"percentile_99_5", 20.0}};
  }
  return {{"dataset_name", "Dataset999_Tiny"},
          {"plans_name", "nnUNetPlans"},
          {"image_reader_writer", options.image_reader_writer},
          {"transpose_forward", options.transpose_forward},
          {"transpose_backward", backward},
          {"configurations", {{options.configuration, Configuration(options)}}},
          {"label_manager", "LabelManager"},
          {"foreground_intensity_properties_per_channel", intensity}};
}

ordered_json Dataset(const TinyBundleOptions& options) {
  ordered_json labels;
  for (const LabelEntry& entry : Labels(options)) {
    labels[entry.name] =
        entry.values.size() > 1 ? ordered_json(entry.values) : ordered_json(entry.values[0]);
  }
  ordered_json channels;
  for (std::size_t c = 0; c < options.channels.size(); ++c) {
    channels[absl::StrCat(c)] = options.channels[c];
  }
  ordered_json dataset{{"channel_names", channels}, {"labels", labels}, {"file_ending", ".nii.gz"}};
  if (!options.regions.empty()) dataset["regions_class_order"] = ClassOrder(options);
  return dataset;
}

/// What manifests of both kinds have.
ordered_json ManifestHead(const std::string& kind, const TinyBundleOptions& options) {
  ordered_json labels = ordered_json::array();
  for (const LabelEntry& entry : Labels(options)) {
    labels.push_back({{"name", entry.name}, {"values", entry.values}});
  }
  return {{"format_version", 1},
          {"kind", kind},
          {"name", options.name},
          {"version", options.version},
          {"created", "2026-01-01T00:00:00Z"},
          {"intended_use", "tests"},
          {"model",
           {{"dataset_name", "Dataset999_Tiny"},
            {"trainer", "nnUNetTrainer"},
            {"plans_name", "nnUNetPlans"},
            {"configuration", options.configuration},
            {"checkpoint", "checkpoint_final.pth"}}},
          {"channel_names", options.channels},
          {"labels", labels},
          {"regions_class_order",
           options.regions.empty() ? ordered_json(nullptr) : ordered_json(ClassOrder(options))},
          {"image_reader_writer", options.image_reader_writer},
          {"producer", {{"nnseg_export", "0"}}}};
}

ordered_json Reference(const ModelReference& reference) {
  return {{"name", reference.name}, {"version", reference.version}};
}

/// The file of a fold; bf16 runs that of fp32.
std::string FoldFile(const std::string& engine, const std::string& precision,
                     const std::string& fold) {
  return absl::StrCat("fold_", fold, precision == "int8" ? "_int8" : "",
                      engine == "torch" ? ".pt" : ".xml");
}

ordered_json Precision(const PrecisionRecord& record, const std::vector<std::string>& folds) {
  ordered_json networks = ordered_json::object();
  for (const std::string& fold : folds) {
    if (record.passed) networks[fold] = FoldFile(record.engine, record.precision, fold);
  }
  return {{"engine", record.engine},
          {"precision", record.precision},
          {"networks", networks},
          {"passed", record.passed},
          {"dice", record.dice},
          {"dice_limit", record.dice_limit},
          {"equal_fraction", record.equal_fraction},
          {"equal_fraction_limit", record.equal_fraction_limit},
          {"volumes", record.volumes},
          {"relative_time", record.relative_time},
          {"recipe", record.recipe}};
}

/// Every file that an engine loads, and its fold.
std::map<std::string, std::string> NetworkFiles(const TinyBundleOptions& options) {
  std::map<std::string, std::string> files;
  for (const std::string& fold : options.folds) {
    for (const std::string& engine : options.engines) files[FoldFile(engine, "fp32", fold)] = fold;
    for (const PrecisionRecord& record : options.precisions) {
      if (record.passed) files[FoldFile(record.engine, record.precision, fold)] = fold;
    }
  }
  return files;
}

ordered_json Manifest(const TinyBundleOptions& options) {
  ordered_json engines;
  ordered_json checkpoints;
  for (const std::string& fold : options.folds) {
    for (const std::string& engine : options.engines) {
      engines[engine][fold] = {{"file", FoldFile(engine, "fp32", fold)},
                               {"max_abs_difference", 0.0},
                               {"tolerance", 0.0}};
    }
    checkpoints[fold] = {{"sha256", std::string(64, '0')}};
  }
  ordered_json mirroring = ordered_json::array();  // axes of the patch
  const std::vector<int> patch_axes = PatchAxes(options);
  for (int axis : options.mirroring_axes) {
    if (axis >= patch_axes[0]) mirroring.push_back(axis - patch_axes[0]);
  }
  const LabelTable table = Table(options);
  ordered_json manifest = ManifestHead("model", options);
  manifest["folds"] = options.folds;
  manifest["mirroring_axes"] = mirroring;
  if (options.previous_stage) manifest["previous_stage"] = Reference(*options.previous_stage);
  manifest["network_input_channels"] =
      options.channels.size() +
      (options.previous_configuration.empty() ? 0 : table.foreground_labels().size());
  manifest["network_output_channels"] = table.output_channels();
  manifest["patch_size"] = PatchSize(options);
  manifest["file_ending"] = ".nii.gz";
  manifest["expected_memory_bytes"] = {{"weights", 1000}, {"activations", 1000}};
  manifest["engines"] = engines;
  for (const PrecisionRecord& record : options.precisions) {
    manifest["precisions"].push_back(Precision(record, options.folds));
  }
  if (!options.precision_policy.empty()) manifest["precision_policy"] = options.precision_policy;
  manifest["provenance"] = {{"source", "tests"}, {"license", ""}, {"checkpoints", checkpoints}};
  return manifest;
}

/// A bundle's folder while it is written.
class BundleWriter {
 public:
  BundleWriter(fs::path folder, ordered_json manifest)
      : folder_(std::move(folder)), manifest_(std::move(manifest)) {
    fs::create_directories(folder_);
  }

  void Add(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    manifest_["files"][name] = {{"sha256", Sha256(content)}, {"size", content.size()}};
  }

  fs::path Finish(const std::string& postprocessing) {
    if (!postprocessing.empty()) Add("postprocessing.json", postprocessing);
    std::ofstream(folder_ / "manifest.json") << manifest_.dump(1);
    return folder_;
  }

 private:
  const fs::path folder_;
  ordered_json manifest_;
};

}  // namespace

fs::path WriteTinyBundle(const fs::path& repository, const TinyBundleOptions& options) {
  BundleWriter writer(repository / options.name / absl::StrCat(options.version), Manifest(options));
  writer.Add("plans.json", Plans(options).dump(1));
  writer.Add("dataset.json", Dataset(options).dump(1));
  for (const auto& [file, fold] : NetworkFiles(options)) {
    writer.Add(file, absl::StrCat("placeholder of fold ", fold));
  }
  return writer.Finish(options.postprocessing);
}

fs::path WriteTinyEnsemble(const fs::path& repository, const std::string& name,
                           const std::vector<ModelReference>& members,
                           const TinyBundleOptions& options) {
  TinyBundleOptions named = options;
  named.name = name;
  named.version = 1;
  named.configuration = "ensemble";
  ordered_json manifest = ManifestHead("ensemble", named);
  manifest["members"] = ordered_json::array();
  for (const ModelReference& member : members) manifest["members"].push_back(Reference(member));
  manifest["provenance"] = {{"source", "tests"}, {"license", ""}};
  BundleWriter writer(repository / name / "1", std::move(manifest));
  writer.Add("dataset.json", Dataset(named).dump(1));
  return writer.Finish(options.postprocessing);
}

PrecisionRecord TinyPrecision(const std::string& precision, double relative_time, double dice) {
  return {.engine = "openvino",
          .precision = precision,
          .passed = dice >= 0.99,
          .dice = dice,
          .dice_limit = 0.99,
          .equal_fraction = 0.9975,
          .equal_fraction_limit = 0.995,
          .volumes = 3,
          .relative_time = relative_time,
          .recipe = "tests"};
}

absl::Status FakeNetworkLoader::Supports(const std::string& precision) const {
  if (std::find(precisions_.begin(), precisions_.end(), precision) != precisions_.end()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat("this fake has no ", precision));
}

absl::StatusOr<std::unique_ptr<PatchNetwork>> FakeNetworkLoader::Load(
    const std::string& file, const PatchSignature& signature, const std::string& precision) {
  const std::string stem = fs::path(file).stem();  // "fold_1", "fold_1_int8"
  int fold = 0;
  const std::vector<std::string> parts = absl::StrSplit(stem, '_');
  static_cast<void>(absl::SimpleAtoi(parts.size() > 1 ? parts[1] : "", &fold));  // "all" stays 0
  auto network = std::make_unique<FakePatchNetwork>(signature, fold, precision);
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
