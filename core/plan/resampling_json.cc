#include "core/plan/resampling_json.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/plan/spelling.h"

namespace nnseg {
namespace {

constexpr Spelling<Resampler> kResamplers[] = {
    {"resample_data_or_seg_to_shape", Resampler::kSpline},
    {"resample_torch_fornnunet", Resampler::kTorch},
    {"no_resampling_hack", Resampler::kNone},
};

// The only values of torch's arguments that nnU-Net's planners leave in force.
constexpr Spelling<bool> kDevices[] = {{"cpu", true}};
constexpr Spelling<bool> kModes[] = {{"linear", true}};
constexpr Spelling<bool> kAnisotropicModes[] = {{"nearest-exact", true}};

constexpr int64_t kMaxThreads = 65536;

/// The arguments that only resample_data_or_seg_to_shape has. False: it is none of them.
absl::StatusOr<bool> ReadSplineArgument(const std::string& name, const JsonNode& value,
                                        ResamplingRule& rule) {
  if (name != "order" && name != "order_z") return false;
  NNSEG_ASSIGN_OR_RETURN(const int64_t order, value.AsInt(0, 5));
  if (order != 0 && order != 1 && order != 3) return value.Unsupported("0, 1 or 3");
  (name == "order" ? rule.order : rule.order_z) = static_cast<int>(order);
  return true;
}

/// The same of resample_torch_fornnunet.
absl::StatusOr<bool> ReadTorchArgument(const std::string& name, const JsonNode& value,
                                       ResamplingRule& rule) {
  if (name == "memefficient_seg_resampling") {
    NNSEG_ASSIGN_OR_RETURN(rule.memory_efficient_labels, value.AsBool());
  } else if (name == "num_threads") {
    NNSEG_RETURN_IF_ERROR(value.AsInt(1, kMaxThreads).status());
  } else if (name == "device") {
    NNSEG_RETURN_IF_ERROR(Lookup(value, kDevices).status());
  } else if (name == "mode") {
    NNSEG_RETURN_IF_ERROR(Lookup(value, kModes).status());
  } else if (name == "aniso_axis_mode") {
    NNSEG_RETURN_IF_ERROR(Lookup(value, kAnisotropicModes).status());
  } else {
    return false;
  }
  return true;
}

/// The arguments of both, is_seg aside.
absl::StatusOr<bool> ReadCommonArgument(const std::string& name, const JsonNode& value,
                                        ResamplingRule& rule) {
  if (name == "force_separate_z") {
    rule.force_separate_z.reset();
    if (value.is_null()) return true;
    NNSEG_ASSIGN_OR_RETURN(rule.force_separate_z, value.AsBool());
  } else if (name == "separate_z_anisotropy_threshold") {
    NNSEG_ASSIGN_OR_RETURN(const double threshold, value.AsNumber());
    if (threshold != 3) return value.Unsupported("3");
  } else {
    return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<ResamplingRule> ParseResamplingRule(const JsonNode& function, const JsonNode& kwargs,
                                                   ResamplingPlace place) {
  NNSEG_ASSIGN_OR_RETURN(const auto arguments, kwargs.Members());
  ResamplingRule rule;
  NNSEG_ASSIGN_OR_RETURN(rule.resampler, Lookup(function, kResamplers));
  if (rule.resampler == Resampler::kNone) {
    if (arguments.empty()) return rule;
    return kwargs.Invalid("no arguments, as no_resampling_hack takes none");
  }
  const bool torch = rule.resampler == Resampler::kTorch;
  if (torch) rule.force_separate_z.reset();
  const bool of_labels = place == ResamplingPlace::kLabels;
  bool is_seg = false;
  for (const auto& [name, value] : arguments) {
    if (name == "is_seg") {
      NNSEG_ASSIGN_OR_RETURN(is_seg, value.AsBool());
      if (is_seg != of_labels) return value.Unsupported(of_labels ? "true" : "false");
      continue;
    }
    NNSEG_ASSIGN_OR_RETURN(bool known, ReadCommonArgument(name, value, rule));
    if (!known) {
      NNSEG_ASSIGN_OR_RETURN(known, torch ? ReadTorchArgument(name, value, rule)
                                          : ReadSplineArgument(name, value, rule));
    }
    if (!known) {
      NNSEG_ASSIGN_OR_RETURN(const std::string function_name, function.AsString());
      return value.Invalid(absl::StrCat("no such argument of ", function_name));
    }
  }
  if (is_seg != of_labels) return kwargs.Unsupported("one with is_seg true");
  return rule;
}

}  // namespace nnseg
