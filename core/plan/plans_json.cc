#include "core/plan/plans_json.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/geometry/geometry.h"
#include "core/plan/dataset_json.h"
#include "core/plan/json_node.h"
#include "core/plan/resampling_json.h"
#include "core/plan/spelling.h"

namespace nnseg {
namespace {

constexpr Spelling<Normalization> kNormalizations[] = {
    {"ZScoreNormalization", Normalization::kZScore},
    {"CTNormalization", Normalization::kCt},
    {"NoNormalization", Normalization::kNone},
    {"RescaleTo01Normalization", Normalization::kRescaleTo01},
    {"RGBTo01Normalization", Normalization::kRgbTo01},
};

// All of nnU-Net's readers: images come in the axes of the one that the plan names.
constexpr Spelling<bool> kReaders[] = {
    {"SimpleITKIO", true}, {"SimpleITKIOWithReorient", true},
    {"NibabelIO", true},   {"NibabelIOWithReorient", true},
    {"Tiff3DIO", true},    {"NaturalImage2DIO", true},
};

constexpr Spelling<bool> kPreprocessors[] = {{"DefaultPreprocessor", true}};
constexpr Spelling<bool> kLabelManagers[] = {{"LabelManager", true}};

/// A configuration and its ancestors, nearest first. Inheritance is shallow: a key comes whole from
/// the nearest that has it (nnU-Net 2.8.1, utilities/plans_handling).
class Configuration {
 public:
  static absl::StatusOr<Configuration> Resolve(const JsonNode& plans, const std::string& name) {
    NNSEG_ASSIGN_OR_RETURN(const JsonNode all, plans.Get("configurations"));
    Configuration result;
    std::vector<std::string> chain;
    std::string next = name;
    std::string asked_by = all.where();
    while (true) {
      if (std::find(chain.begin(), chain.end(), next) != chain.end()) {
        return absl::InvalidArgumentError(absl::StrCat(
            asked_by, " closes a circle: ", absl::StrJoin(chain, " -> "), " -> ", next));
      }
      const std::optional<JsonNode> layer = all.Find(next);
      if (!layer) {
        return absl::InvalidArgumentError(
            absl::StrCat(asked_by, " names or holds no configuration '", next.substr(0, 64), "'"));
      }
      NNSEG_RETURN_IF_ERROR(layer->Members().status());
      chain.push_back(next);
      result.layers_.push_back(*layer);
      const std::optional<JsonNode> parent = layer->Find("inherits_from");
      if (!parent) return result;
      NNSEG_ASSIGN_OR_RETURN(next, parent->AsString());
      asked_by = parent->where();
    }
  }

  std::optional<JsonNode> Find(absl::string_view key) const {
    for (const JsonNode& layer : layers_) {
      if (std::optional<JsonNode> node = layer.Find(key)) return node;
    }
    return std::nullopt;
  }

  absl::StatusOr<JsonNode> Get(absl::string_view key) const {
    if (std::optional<JsonNode> node = Find(key)) return *std::move(node);
    return layers_.front().Get(key);  // the error
  }

 private:
  std::vector<JsonNode> layers_;
};

absl::StatusOr<AxisPermutation> ParsePermutation(const JsonNode& plans, absl::string_view key) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode node, plans.Get(key));
  NNSEG_ASSIGN_OR_RETURN(const std::vector<JsonNode> elements, node.Elements(3));
  std::array<int, 3> axes{};
  for (int i = 0; i < 3; ++i) {
    NNSEG_ASSIGN_OR_RETURN(const int64_t axis, elements[i].AsInt(0, 2));
    axes[i] = static_cast<int>(axis);
  }
  absl::StatusOr<AxisPermutation> permutation = AxisPermutation::Create(axes);
  if (!permutation.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(node.where(), " is ", absl::StrJoin(axes, ", "),
                                                   ", expected a permutation of 0, 1, 2"));
  }
  return permutation;
}

absl::StatusOr<AxisPermutation> ParseTranspose(const JsonNode& plans) {
  NNSEG_ASSIGN_OR_RETURN(const AxisPermutation forward,
                         ParsePermutation(plans, "transpose_forward"));
  NNSEG_ASSIGN_OR_RETURN(const AxisPermutation backward,
                         ParsePermutation(plans, "transpose_backward"));
  if (backward != forward.Inverse()) {
    return absl::InvalidArgumentError(
        "plans.json: transpose_backward does not undo transpose_forward");
  }
  return forward;
}

/// Fills patch_size, its dimensions and spacing. A 2D configuration has numbers for internal axes 1
/// and 2 only.
absl::Status ParseGrid(const Configuration& configuration, SegmentationPlan& plan) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode patch, configuration.Get("patch_size"));
  NNSEG_ASSIGN_OR_RETURN(const std::vector<JsonNode> sizes, patch.Elements());
  if (sizes.size() != 2 && sizes.size() != 3) return patch.Invalid("an array of 2 or 3");
  NNSEG_ASSIGN_OR_RETURN(const JsonNode spacing, configuration.Get("spacing"));
  NNSEG_ASSIGN_OR_RETURN(const std::vector<JsonNode> distances, spacing.Elements(sizes.size()));
  plan.patch_dimensions = static_cast<int>(sizes.size());
  plan.patch_size[0] = 1;
  const std::size_t first_axis = 3 - sizes.size();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    NNSEG_ASSIGN_OR_RETURN(plan.patch_size[first_axis + i], sizes[i].AsInt(1, kMaxAxisVoxels));
    NNSEG_ASSIGN_OR_RETURN(const double distance, distances[i].AsNumber());
    if (!(distance > 0)) return distances[i].Invalid("a number above 0");
    plan.spacing[first_axis + i] = distance;
  }
  return absl::OkStatus();
}

/// `key` names the function; its keyword arguments stand under `key`_kwargs.
absl::StatusOr<ResamplingRule> ParseResampling(const Configuration& configuration,
                                               const std::string& key, ResamplingPlace place) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode function, configuration.Get(key));
  NNSEG_ASSIGN_OR_RETURN(const JsonNode kwargs, configuration.Get(key + "_kwargs"));
  return ParseResamplingRule(function, kwargs, place);
}

/// Fills previous_stage and the resampling of its labels, which only a cascade needs.
absl::Status ParsePreviousStage(const Configuration& configuration, SegmentationPlan& plan) {
  const std::optional<JsonNode> stage = configuration.Find("previous_stage");
  if (!stage || stage->is_null()) return absl::OkStatus();
  NNSEG_ASSIGN_OR_RETURN(plan.previous_stage, stage->AsString());
  if (!plan.is_cascade()) return stage->Invalid("the name of a configuration");
  NNSEG_ASSIGN_OR_RETURN(plan.labels_resampling, ParseResampling(configuration, "resampling_fn_seg",
                                                                 ResamplingPlace::kLabels));
  return absl::OkStatus();
}

absl::StatusOr<IntensityProperties> ParseIntensity(const JsonNode& node) {
  IntensityProperties properties;
  NNSEG_ASSIGN_OR_RETURN(properties.mean, node.GetNumber("mean"));
  NNSEG_ASSIGN_OR_RETURN(properties.std, node.GetNumber("std"));
  NNSEG_ASSIGN_OR_RETURN(properties.percentile_00_5, node.GetNumber("percentile_00_5"));
  NNSEG_ASSIGN_OR_RETURN(properties.percentile_99_5, node.GetNumber("percentile_99_5"));
  return properties;
}

absl::StatusOr<std::vector<ChannelPlan>> ParseChannels(const JsonNode& plans,
                                                       const std::vector<std::string>& names,
                                                       const Configuration& configuration) {
  constexpr absl::string_view kIntensities = "foreground_intensity_properties_per_channel";
  constexpr absl::string_view kLegacyIntensities = "foreground_intensity_properties_by_modality";
  NNSEG_ASSIGN_OR_RETURN(const JsonNode schemes_node, configuration.Get("normalization_schemes"));
  NNSEG_ASSIGN_OR_RETURN(const auto schemes, schemes_node.Elements(names.size()));
  NNSEG_ASSIGN_OR_RETURN(const JsonNode masks_node, configuration.Get("use_mask_for_norm"));
  NNSEG_ASSIGN_OR_RETURN(const auto masks, masks_node.Elements(names.size()));
  const bool legacy = !plans.Find(kIntensities) && plans.Find(kLegacyIntensities);
  NNSEG_ASSIGN_OR_RETURN(const JsonNode intensities,
                         plans.Get(legacy ? kLegacyIntensities : kIntensities));
  std::vector<ChannelPlan> channels(names.size());
  for (std::size_t c = 0; c < names.size(); ++c) {
    ChannelPlan& channel = channels[c];
    channel.name = names[c];
    NNSEG_ASSIGN_OR_RETURN(channel.normalization, Lookup(schemes[c], kNormalizations));
    NNSEG_ASSIGN_OR_RETURN(channel.use_mask, masks[c].AsBool());
    // nnU-Net looks the entry up for every channel, but only CT reads what is in it.
    NNSEG_ASSIGN_OR_RETURN(const JsonNode intensity, intensities.Get(absl::StrCat(c)));
    if (channel.normalization == Normalization::kCt) {
      NNSEG_ASSIGN_OR_RETURN(channel.intensity, ParseIntensity(intensity));
    }
  }
  return channels;
}

absl::Status CheckServed(const JsonNode& plans, const Configuration& configuration) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode preprocessor, configuration.Get("preprocessor_name"));
  NNSEG_RETURN_IF_ERROR(Lookup(preprocessor, kPreprocessors).status());
  if (const auto manager = plans.Find("label_manager")) {
    NNSEG_RETURN_IF_ERROR(Lookup(*manager, kLabelManagers).status());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SegmentationPlan> ParseSegmentationPlan(const std::string& plans_json,
                                                       const std::string& dataset_json,
                                                       const std::string& configuration_name) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode plans, JsonNode::Parse(plans_json, "plans.json"));
  NNSEG_ASSIGN_OR_RETURN(Dataset dataset, ParseDataset(dataset_json));
  NNSEG_ASSIGN_OR_RETURN(const Configuration configuration,
                         Configuration::Resolve(plans, configuration_name));
  // The network comes from the bundle's exported files, so neither form of the architecture, the
  // modern block nor the keys of older plans, is read.
  SegmentationPlan plan;
  plan.configuration = configuration_name;
  NNSEG_RETURN_IF_ERROR(ParseGrid(configuration, plan));
  NNSEG_RETURN_IF_ERROR(CheckServed(plans, configuration));
  NNSEG_ASSIGN_OR_RETURN(const JsonNode reader, plans.Get("image_reader_writer"));
  NNSEG_RETURN_IF_ERROR(Lookup(reader, kReaders).status());
  NNSEG_ASSIGN_OR_RETURN(plan.image_reader_writer, reader.AsString());
  NNSEG_ASSIGN_OR_RETURN(plan.transpose_forward, ParseTranspose(plans));
  NNSEG_ASSIGN_OR_RETURN(plan.channels, ParseChannels(plans, dataset.channel_names, configuration));
  NNSEG_ASSIGN_OR_RETURN(plan.image_resampling, ParseResampling(configuration, "resampling_fn_data",
                                                                ResamplingPlace::kValues));
  NNSEG_ASSIGN_OR_RETURN(
      plan.logits_resampling,
      ParseResampling(configuration, "resampling_fn_probabilities", ResamplingPlace::kValues));
  NNSEG_RETURN_IF_ERROR(ParsePreviousStage(configuration, plan));
  plan.labels = std::move(dataset.labels);
  return plan;
}

}  // namespace nnseg
