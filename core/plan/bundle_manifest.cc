#include "core/plan/bundle_manifest.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/geometry/geometry.h"
#include "core/plan/json_node.h"
#include "core/plan/precision_json.h"
#include "core/plan/spelling.h"

namespace nnseg {
namespace {

constexpr int64_t kFormatVersion = 1;
constexpr int64_t kMaxChannels = 65536;
constexpr int64_t kMaxVersion = 999999999;
constexpr int64_t kMaxBytes = int64_t{1} << 50;
constexpr int64_t kMaxPatchValues = int64_t{1} << 32;  // of one pass's input or output
constexpr std::size_t kSha256Digits = 64;

constexpr Spelling<bool> kKinds[] = {{"model", false}, {"ensemble", true}};  // is it an ensemble

bool IsPlainFileName(const std::string& name) {
  return !name.empty() && name[0] != '.' && name.size() <= 255 &&
         std::none_of(name.begin(), name.end(), [](unsigned char c) {
           return c == '/' || c == '\\' || std::iscntrl(c) != 0;
         });
}

bool IsSha256(const std::string& text) {
  return text.size() == kSha256Digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

absl::Status ParseOrigin(const JsonNode& root, BundleManifest& manifest) {
  NNSEG_ASSIGN_OR_RETURN(manifest.name, root.GetString("name"));
  NNSEG_ASSIGN_OR_RETURN(const int64_t version, root.GetInt("version", 1, kMaxVersion));
  manifest.version = static_cast<int>(version);
  NNSEG_ASSIGN_OR_RETURN(manifest.created, root.GetString("created"));
  NNSEG_ASSIGN_OR_RETURN(manifest.intended_use, root.GetString("intended_use"));
  NNSEG_ASSIGN_OR_RETURN(const JsonNode model, root.Get("model"));
  NNSEG_ASSIGN_OR_RETURN(manifest.dataset_name, model.GetString("dataset_name"));
  NNSEG_ASSIGN_OR_RETURN(manifest.trainer, model.GetString("trainer"));
  NNSEG_ASSIGN_OR_RETURN(manifest.plans_name, model.GetString("plans_name"));
  NNSEG_ASSIGN_OR_RETURN(manifest.configuration, model.GetString("configuration"));
  NNSEG_ASSIGN_OR_RETURN(manifest.checkpoint, model.GetString("checkpoint"));
  return absl::OkStatus();
}

absl::Status ParseNetworkShape(const JsonNode& root, BundleManifest& manifest) {
  NNSEG_ASSIGN_OR_RETURN(manifest.input_channels,
                         root.GetInt("network_input_channels", 1, kMaxChannels));
  NNSEG_ASSIGN_OR_RETURN(manifest.output_channels,
                         root.GetInt("network_output_channels", 1, kMaxChannels));
  NNSEG_ASSIGN_OR_RETURN(const JsonNode patch, root.Get("patch_size"));
  NNSEG_ASSIGN_OR_RETURN(const std::vector<JsonNode> sizes, patch.Elements());
  if (sizes.size() != 2 && sizes.size() != 3) return patch.Invalid("an array of 2 or 3");
  const int first_axis = 3 - static_cast<int>(sizes.size());
  manifest.patch_dimensions = static_cast<int>(sizes.size());
  manifest.patch_size[0] = 1;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    NNSEG_ASSIGN_OR_RETURN(manifest.patch_size[first_axis + i], sizes[i].AsInt(1, kMaxAxisVoxels));
  }
  const int64_t channels = std::max(manifest.input_channels, manifest.output_channels);
  if (manifest.patch_size.voxels() > kMaxPatchValues / channels) {
    return absl::InvalidArgumentError(absl::StrCat(patch.where(), " is ",
                                                   ToString(manifest.patch_size),
                                                   ", too large for ", channels, " channels"));
  }
  NNSEG_ASSIGN_OR_RETURN(const JsonNode axes, root.Get("mirroring_axes"));
  NNSEG_ASSIGN_OR_RETURN(const std::vector<JsonNode> elements, axes.Elements());
  for (const JsonNode& element : elements) {
    NNSEG_ASSIGN_OR_RETURN(const int64_t patch_axis,
                           element.AsInt(0, manifest.patch_dimensions - 1));
    const int axis = first_axis + static_cast<int>(patch_axis);
    const int previous = manifest.mirroring_axes.empty() ? -1 : manifest.mirroring_axes.back();
    if (axis <= previous) return axes.Invalid("axes in ascending order");
    manifest.mirroring_axes.push_back(axis);
  }
  return absl::OkStatus();
}

absl::Status ParseFolds(const JsonNode& root, BundleManifest& manifest) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode folds, root.Get("folds"));
  NNSEG_ASSIGN_OR_RETURN(const std::vector<JsonNode> elements, folds.Elements());
  if (elements.empty()) return folds.Invalid("at least one fold");
  for (const JsonNode& element : elements) {
    NNSEG_ASSIGN_OR_RETURN(std::string fold, element.AsString());
    const auto& known = manifest.folds;
    if (fold.empty() || std::find(known.begin(), known.end(), fold) != known.end()) {
      return element.Invalid("a name that differs from the other folds'");
    }
    manifest.folds.push_back(std::move(fold));
  }
  return absl::OkStatus();
}

/// REQUIRES: an ensemble's members are parsed.
absl::Status ParseFiles(const JsonNode& root, BundleManifest& manifest) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode files, root.Get("files"));
  NNSEG_ASSIGN_OR_RETURN(const auto members, files.Members());
  for (const auto& [name, entry] : members) {
    if (!IsPlainFileName(name)) {
      return absl::InvalidArgumentError(
          absl::StrCat(files.where(), " has a key that is no plain file name"));
    }
    BundleFile file;
    NNSEG_ASSIGN_OR_RETURN(const JsonNode sha256, entry.Get("sha256"));
    NNSEG_ASSIGN_OR_RETURN(file.sha256, sha256.AsString());
    if (!IsSha256(file.sha256)) return sha256.Invalid("64 lower-case hexadecimal digits");
    NNSEG_ASSIGN_OR_RETURN(file.size, entry.GetInt("size", 0, kMaxBytes));
    manifest.files.emplace(name, std::move(file));
  }
  NNSEG_RETURN_IF_ERROR(files.Get("dataset.json").status());
  return manifest.is_ensemble() ? absl::OkStatus() : files.Get("plans.json").status();
}

/// REQUIRES: folds and files are parsed.
absl::Status ParseEngines(const JsonNode& root, BundleManifest& manifest) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode engines, root.Get("engines"));
  NNSEG_ASSIGN_OR_RETURN(const auto members, engines.Members());
  if (members.empty()) return engines.Invalid("at least one engine");
  for (const auto& [engine, folds] : members) {
    std::map<std::string, std::string>& files = manifest.engines[engine];
    for (const std::string& fold : manifest.folds) {
      NNSEG_ASSIGN_OR_RETURN(const JsonNode entry, folds.Get(fold));
      NNSEG_ASSIGN_OR_RETURN(const JsonNode file, entry.Get("file"));
      NNSEG_ASSIGN_OR_RETURN(const std::string name, file.AsString());
      if (manifest.files.count(name) == 0) return file.Invalid("a file listed under files");
      files.emplace(fold, name);
    }
    NNSEG_ASSIGN_OR_RETURN(const auto entries, folds.Members());
    if (entries.size() != files.size()) return folds.Invalid("the folds listed under folds");
  }
  return absl::OkStatus();
}

absl::StatusOr<ModelReference> ParseReference(const JsonNode& node) {
  ModelReference reference;
  NNSEG_ASSIGN_OR_RETURN(reference.name, node.GetString("name"));
  NNSEG_ASSIGN_OR_RETURN(const int64_t version, node.GetInt("version", 1, kMaxVersion));
  reference.version = static_cast<int>(version);
  return reference;
}

absl::Status ParseMembers(const JsonNode& root, BundleManifest& manifest) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode members, root.Get("members"));
  NNSEG_ASSIGN_OR_RETURN(const std::vector<JsonNode> elements, members.Elements());
  if (elements.size() < 2) return members.Invalid("at least 2 models");
  for (const JsonNode& element : elements) {
    NNSEG_ASSIGN_OR_RETURN(ModelReference member, ParseReference(element));
    const auto& known = manifest.members;
    if (std::find(known.begin(), known.end(), member) != known.end()) {
      return element.Invalid("a model that differs from the other members");
    }
    manifest.members.push_back(std::move(member));
  }
  return absl::OkStatus();
}

absl::Status ParseMemory(const JsonNode& root, BundleManifest& manifest) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode memory, root.Get("expected_memory_bytes"));
  NNSEG_ASSIGN_OR_RETURN(const int64_t weights, memory.GetInt("weights", 0, kMaxBytes));
  manifest.weight_bytes = weights / static_cast<int64_t>(manifest.folds.size());
  NNSEG_ASSIGN_OR_RETURN(manifest.activation_bytes, memory.GetInt("activations", 0, kMaxBytes));
  return absl::OkStatus();
}

/// What only a bundle with networks has.
absl::Status ParseModel(const JsonNode& root, BundleManifest& manifest) {
  NNSEG_RETURN_IF_ERROR(ParseNetworkShape(root, manifest));
  NNSEG_RETURN_IF_ERROR(ParseFolds(root, manifest));
  NNSEG_RETURN_IF_ERROR(ParseFiles(root, manifest));
  NNSEG_RETURN_IF_ERROR(ParseEngines(root, manifest));
  NNSEG_RETURN_IF_ERROR(ParsePrecisions(root, manifest));
  NNSEG_RETURN_IF_ERROR(ParseMemory(root, manifest));
  const std::optional<JsonNode> previous_stage = root.Find("previous_stage");
  if (!previous_stage || previous_stage->is_null()) return absl::OkStatus();
  NNSEG_ASSIGN_OR_RETURN(manifest.previous_stage, ParseReference(*previous_stage));
  return absl::OkStatus();
}

absl::Status ParseEnsemble(const JsonNode& root, BundleManifest& manifest) {
  NNSEG_RETURN_IF_ERROR(ParseMembers(root, manifest));
  return ParseFiles(root, manifest);
}

/// Bundles from before there were ensembles do not say what they are.
absl::StatusOr<bool> IsEnsemble(const JsonNode& root) {
  const std::optional<JsonNode> kind = root.Find("kind");
  return kind ? Lookup(*kind, kKinds) : false;
}

}  // namespace

absl::StatusOr<BundleManifest> ParseBundleManifest(const std::string& json) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode root, JsonNode::Parse(json, "manifest.json"));
  NNSEG_ASSIGN_OR_RETURN(const JsonNode format, root.Get("format_version"));
  NNSEG_ASSIGN_OR_RETURN(const int64_t format_version, format.AsInt(1, INT32_MAX));
  if (format_version != kFormatVersion) return format.Unsupported(absl::StrCat(kFormatVersion));
  BundleManifest manifest;
  NNSEG_RETURN_IF_ERROR(ParseOrigin(root, manifest));
  NNSEG_ASSIGN_OR_RETURN(const bool is_ensemble, IsEnsemble(root));
  NNSEG_RETURN_IF_ERROR(is_ensemble ? ParseEnsemble(root, manifest) : ParseModel(root, manifest));
  NNSEG_RETURN_IF_ERROR(ParsePrecisionPolicy(root, manifest));
  return manifest;
}

}  // namespace nnseg
