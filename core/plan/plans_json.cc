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
#include "core/plan/json_node.h"

namespace nnseg {
namespace {

/// A named value of a closed set, as plans.json spells it.
template <typename T>
struct Spelling {
  absl::string_view name;
  T value;
};

constexpr Spelling<Normalization> kNormalizations[] = {
    {"ZScoreNormalization", Normalization::kZScore},
    {"CTNormalization", Normalization::kCt},
    {"NoNormalization", Normalization::kNone},
    {"RescaleTo01Normalization", Normalization::kRescaleTo01},
    {"RGBTo01Normalization", Normalization::kRgbTo01},
};

// resample_torch_fornnunet is nnU-Net's third; it is not served yet.
constexpr Spelling<Resampler> kResamplers[] = {
    {"resample_data_or_seg_to_shape", Resampler::kSpline},
    {"no_resampling_hack", Resampler::kNone},
};

// Readers whose axes are the wire's (z, y, x). The reorienting ones and 2D images are not served.
constexpr Spelling<bool> kReaders[] = {
    {"SimpleITKIO", true},
    {"NibabelIO", true},
    {"Tiff3DIO", true},
};

constexpr Spelling<bool> kPreprocessors[] = {{"DefaultPreprocessor", true}};
constexpr Spelling<bool> kLabelManagers[] = {{"LabelManager", true}};

/// nnU-Net finds these classes by name, so any name may exist somewhere: an unknown one is
/// UNIMPLEMENTED.
template <typename T, std::size_t N>
absl::StatusOr<T> Lookup(const JsonNode& node, const Spelling<T> (&spellings)[N]) {
  NNSEG_ASSIGN_OR_RETURN(const std::string name, node.AsString());
  for (const Spelling<T>& spelling : spellings) {
    if (name == spelling.name) return spelling.value;
  }
  return node.Unsupported(absl::StrCat(
      N == 1 ? "" : "one of ",
      absl::StrJoin(spellings, ", ", [](std::string* out, const Spelling<T>& spelling) {
        absl::StrAppend(out, spelling.name);
      })));
}

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

absl::StatusOr<Shape3> ParsePatchSize(const Configuration& configuration) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode node, configuration.Get("patch_size"));
  NNSEG_ASSIGN_OR_RETURN(const std::vector<JsonNode> elements, node.Elements());
  if (elements.size() == 2) return node.Unsupported("3 entries: 2D configurations are not served");
  if (elements.size() != 3) return node.Invalid("an array of 3");
  Shape3 patch{};
  for (int i = 0; i < 3; ++i) {
    NNSEG_ASSIGN_OR_RETURN(patch[i], elements[i].AsInt(1, kMaxAxisVoxels));
  }
  return patch;
}

absl::StatusOr<Spacing3> ParseSpacing(const Configuration& configuration) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode node, configuration.Get("spacing"));
  NNSEG_ASSIGN_OR_RETURN(const std::vector<JsonNode> elements, node.Elements(3));
  Spacing3 spacing{};
  for (int i = 0; i < 3; ++i) {
    NNSEG_ASSIGN_OR_RETURN(spacing[i], elements[i].AsNumber());
    if (!(spacing[i] > 0)) return elements[i].Invalid("a number above 0");
  }
  return spacing;
}

/// `key` names the function; its keyword arguments stand under `key`_kwargs.
absl::StatusOr<ResamplingRule> ParseResampling(const Configuration& configuration,
                                               const std::string& key) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode function, configuration.Get(key));
  NNSEG_ASSIGN_OR_RETURN(const JsonNode kwargs, configuration.Get(key + "_kwargs"));
  NNSEG_ASSIGN_OR_RETURN(const auto arguments, kwargs.Members());
  ResamplingRule rule;
  NNSEG_ASSIGN_OR_RETURN(rule.resampler, Lookup(function, kResamplers));
  for (const auto& [name, value] : arguments) {
    if (rule.resampler == Resampler::kNone) {
      return kwargs.Invalid("no arguments, as no_resampling_hack takes none");
    }
    if (name == "order" || name == "order_z") {
      NNSEG_ASSIGN_OR_RETURN(const int64_t order, value.AsInt(0, 5));
      if (order != 0 && order != 1 && order != 3) return value.Unsupported("0, 1 or 3");
      (name == "order" ? rule.order : rule.order_z) = static_cast<int>(order);
    } else if (name == "force_separate_z") {
      rule.force_separate_z.reset();
      if (value.is_null()) continue;
      NNSEG_ASSIGN_OR_RETURN(rule.force_separate_z, value.AsBool());
    } else if (name == "is_seg") {
      NNSEG_ASSIGN_OR_RETURN(const bool is_seg, value.AsBool());
      if (is_seg) return value.Unsupported("false");
    } else if (name == "separate_z_anisotropy_threshold") {
      NNSEG_ASSIGN_OR_RETURN(const double threshold, value.AsNumber());
      if (threshold != 3) return value.Unsupported("3");
    } else {
      return value.Invalid("no such argument of resample_data_or_seg_to_shape");
    }
  }
  return rule;
}

/// dataset.json's channel names in input order. The key `modality` of older data sets wins.
absl::StatusOr<std::vector<std::string>> ParseChannelNames(const JsonNode& dataset) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode names,
                         dataset.Get(dataset.Find("modality") ? "modality" : "channel_names"));
  NNSEG_ASSIGN_OR_RETURN(const auto members, names.Members());
  if (members.empty()) return names.Invalid("at least one channel");
  std::vector<std::string> result;
  for (std::size_t c = 0; c < members.size(); ++c) {
    NNSEG_ASSIGN_OR_RETURN(std::string name, names.GetString(absl::StrCat(c)));
    result.push_back(std::move(name));
  }
  return result;
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
                                                       const JsonNode& dataset,
                                                       const Configuration& configuration) {
  constexpr absl::string_view kIntensities = "foreground_intensity_properties_per_channel";
  constexpr absl::string_view kLegacyIntensities = "foreground_intensity_properties_by_modality";
  NNSEG_ASSIGN_OR_RETURN(const std::vector<std::string> names, ParseChannelNames(dataset));
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

absl::StatusOr<std::vector<int>> ParseInts(const std::vector<JsonNode>& elements) {
  std::vector<int> values;
  for (const JsonNode& element : elements) {
    NNSEG_ASSIGN_OR_RETURN(const int64_t value, element.AsInt(0, 65535));
    values.push_back(static_cast<int>(value));
  }
  return values;
}

absl::StatusOr<LabelTable> ParseLabels(const JsonNode& dataset) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode labels, dataset.Get("labels"));
  NNSEG_ASSIGN_OR_RETURN(const auto members, labels.Members());
  std::vector<LabelEntry> entries;
  for (const auto& [name, value] : members) {
    // A list may hold one value only, but these two must be plain numbers.
    const bool is_plain = !value.is_array() || name == "background" || name == "ignore";
    std::vector<JsonNode> elements{value};
    if (!is_plain) {
      NNSEG_ASSIGN_OR_RETURN(elements, value.Elements());
    }
    NNSEG_ASSIGN_OR_RETURN(std::vector<int> values, ParseInts(elements));
    entries.push_back({name, std::move(values)});
  }
  std::optional<std::vector<int>> order;
  if (const auto node = dataset.Find("regions_class_order"); node && !node->is_null()) {
    NNSEG_ASSIGN_OR_RETURN(const std::vector<JsonNode> elements, node->Elements());
    NNSEG_ASSIGN_OR_RETURN(order, ParseInts(elements));
  }
  absl::StatusOr<LabelTable> table = LabelTable::Create(std::move(entries), std::move(order));
  if (!table.ok()) {
    return absl::Status(table.status().code(),
                        absl::StrCat(labels.where(), ": ", table.status().message()));
  }
  if (table->has_regions()) {
    return labels.Unsupported("labels only: region-based models are not served");
  }
  return table;
}

absl::Status CheckServed(const JsonNode& plans, const Configuration& configuration) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode preprocessor, configuration.Get("preprocessor_name"));
  NNSEG_RETURN_IF_ERROR(Lookup(preprocessor, kPreprocessors).status());
  if (const auto manager = plans.Find("label_manager")) {
    NNSEG_RETURN_IF_ERROR(Lookup(*manager, kLabelManagers).status());
  }
  if (const auto stage = configuration.Find("previous_stage"); stage && !stage->is_null()) {
    return stage->Unsupported("null: cascades are not served");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SegmentationPlan> ParseSegmentationPlan(const std::string& plans_json,
                                                       const std::string& dataset_json,
                                                       const std::string& configuration_name) {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode plans, JsonNode::Parse(plans_json, "plans.json"));
  NNSEG_ASSIGN_OR_RETURN(const JsonNode dataset, JsonNode::Parse(dataset_json, "dataset.json"));
  NNSEG_ASSIGN_OR_RETURN(const Configuration configuration,
                         Configuration::Resolve(plans, configuration_name));
  // The network comes from the bundle's exported files, so neither form of the architecture, the
  // modern block nor the keys of older plans, is read.
  SegmentationPlan plan;
  plan.configuration = configuration_name;
  NNSEG_ASSIGN_OR_RETURN(plan.patch_size, ParsePatchSize(configuration));
  NNSEG_RETURN_IF_ERROR(CheckServed(plans, configuration));
  NNSEG_ASSIGN_OR_RETURN(const JsonNode reader, plans.Get("image_reader_writer"));
  NNSEG_RETURN_IF_ERROR(Lookup(reader, kReaders).status());
  NNSEG_ASSIGN_OR_RETURN(plan.image_reader_writer, reader.AsString());
  NNSEG_ASSIGN_OR_RETURN(plan.transpose_forward, ParseTranspose(plans));
  NNSEG_ASSIGN_OR_RETURN(plan.spacing, ParseSpacing(configuration));
  NNSEG_ASSIGN_OR_RETURN(plan.channels, ParseChannels(plans, dataset, configuration));
  NNSEG_ASSIGN_OR_RETURN(plan.image_resampling,
                         ParseResampling(configuration, "resampling_fn_data"));
  NNSEG_ASSIGN_OR_RETURN(plan.logits_resampling,
                         ParseResampling(configuration, "resampling_fn_probabilities"));
  NNSEG_ASSIGN_OR_RETURN(plan.labels, ParseLabels(dataset));
  return plan;
}

}  // namespace nnseg
