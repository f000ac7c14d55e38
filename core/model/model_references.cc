#include "core/model/model_references.h"

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

/// "member 'flat' version 2".
std::string Describe(absl::string_view role, const LoadedModel& model) {
  const BundleManifest& manifest = model.bundle().manifest;
  return absl::StrCat(role, " '", absl::CHexEscape(manifest.name), "' version ", manifest.version);
}

/// "background 0, whole 1+2".
std::string Text(const LabelTable& labels) {
  std::string text =
      absl::StrJoin(labels.entries(), ", ", [](std::string* out, const LabelEntry& entry) {
        absl::StrAppend(out, entry.name, " ", absl::StrJoin(entry.values, "+"));
      });
  if (labels.has_regions()) {
    absl::StrAppend(&text, " painted as ", absl::StrJoin(labels.regions_class_order(), ", "));
  }
  return text;
}

std::string ChannelNames(const SegmentationPlan& plan) {
  return absl::StrJoin(plan.channels, ", ", [](std::string* out, const ChannelPlan& channel) {
    absl::StrAppend(out, channel.name);
  });
}

absl::Status Misfit(const std::string& who, absl::string_view what, absl::string_view got,
                    absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat(who, ": ", what, " is ", absl::CHexEscape(got),
                                                 ", expected ", absl::CHexEscape(expected)));
}

/// What both kinds of reference need: the same image comes in and the same labels come out.
absl::Status CheckSameCase(const std::string& who, const SegmentationPlan& plan,
                           const SegmentationPlan& expected, const std::string& reader) {
  if (plan.channels.size() != expected.channels.size() ||
      ChannelNames(plan) != ChannelNames(expected)) {
    return Misfit(who, "channel_names", ChannelNames(plan), ChannelNames(expected));
  }
  if (plan.labels != expected.labels) {
    return Misfit(who, "labels", Text(plan.labels), Text(expected.labels));
  }
  if (plan.image_reader_writer != reader) {
    return Misfit(who, "image_reader_writer", plan.image_reader_writer, reader);
  }
  return absl::OkStatus();
}

absl::Status CheckMembers(const ModelBundle& bundle, const LoadedModel::References& references) {
  const std::size_t expected = bundle.manifest.members.size();
  if (references.members.size() != expected) {
    return absl::InvalidArgumentError(absl::StrCat(
        "got ", references.members.size(), " members, expected ", expected, " by manifest.json"));
  }
  for (const auto& member : references.members) {
    const std::string who = Describe("member", *member);
    if (member->bundle().manifest.is_ensemble()) {
      return Misfit(who, "kind", "ensemble", "model");
    }
    // dataset.json, all that the ensemble has of its own, names no reader.
    const std::string& reader = references.members.front()->bundle().plan.image_reader_writer;
    NNSEG_RETURN_IF_ERROR(CheckSameCase(who, member->bundle().plan, bundle.plan, reader));
  }
  return absl::OkStatus();
}

absl::Status CheckPreviousStage(const ModelBundle& bundle, const LoadedModel* stage) {
  if ((stage != nullptr) != bundle.manifest.previous_stage.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("got ", stage == nullptr ? "no" : "a", " previous stage, expected ",
                     stage == nullptr ? "one" : "none", " by manifest.json"));
  }
  if (stage == nullptr) return absl::OkStatus();
  const std::string who = Describe("previous stage", *stage);
  if (stage->bundle().manifest.is_ensemble()) return Misfit(who, "kind", "ensemble", "model");
  const SegmentationPlan& plan = stage->bundle().plan;
  if (plan.configuration != bundle.plan.previous_stage) {
    return Misfit(who, "configuration", plan.configuration, bundle.plan.previous_stage);
  }
  if (plan.is_cascade()) return Misfit(who, "previous_stage", plan.previous_stage, "none");
  return CheckSameCase(who, plan, bundle.plan, bundle.plan.image_reader_writer);
}

}  // namespace

absl::Status CheckReferences(const ModelBundle& bundle, const LoadedModel::References& references) {
  NNSEG_RETURN_IF_ERROR(CheckMembers(bundle, references));
  return CheckPreviousStage(bundle, references.previous_stage.get());
}

}  // namespace nnseg
