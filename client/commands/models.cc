#include "client/commands/models.h"

#include <google/protobuf/util/json_util.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/model_info.h"
#include "proto/wire/status_codec.h"
#include "segmentation/v1/model_service.grpc.pb.h"

namespace nnseg {
namespace {

namespace pb = ::segmentation::v1;

const char* NameOf(pb::ModelState state) {
  switch (state) {
    case pb::MODEL_STATE_UNLOADED:
      return "unloaded";
    case pb::MODEL_STATE_LOADING:
      return "loading";
    case pb::MODEL_STATE_READY:
      return "ready";
    case pb::MODEL_STATE_FAILED:
      return "failed";
    default:
      return "unknown";
  }
}

std::string NameOf(const pb::ModelSpec& model) {
  return absl::StrCat(model.name(), ", version ", model.version());
}

std::string FormatLabel(const pb::Label& label) {
  return absl::StrCat("  ", absl::StrJoin(label.values(), "+"), "  ", label.name(), "\n");
}

/// "bf16 on openvino, offered; at export 0.45 of fp32's time, lowest Dice 0.9984 (gate ..."
std::string FormatPrecision(const pb::PrecisionReport& report) {
  return absl::StrFormat(
      "%s on %s, %s; at export %.2f of fp32's time, lowest Dice %.4f (gate %.4f), equal voxels "
      "%.3f %% (gate %.3f %%), %d volumes",
      report.precision(), report.engine(), report.offered() ? "offered" : "not offered",
      report.relative_time(), report.dice(), report.dice_limit(), 100 * report.equal_fraction(),
      100 * report.equal_fraction_limit(), report.volumes());
}

/// The message in protobuf's JSON, fields named as in the .proto files.
std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  // Cannot fail: the message holds no Any.
  (void)google::protobuf::util::MessageToJsonString(message, &json, options);
  return json;
}

}  // namespace

void DefineModels(CLI::App& command, ModelsArguments& arguments) {
  auto* name =
      command.add_option("name", arguments.name, "Show this model in detail")->type_name("NAME");
  command
      .add_option("--model-version", arguments.version, "Its version; default: the newest ready")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->needs(name);
  command.add_flag("--json", arguments.json, "Print JSON");
  DefineConnectionOptions(command, arguments.connection);
}

ExitCode RunModels(const ModelsArguments& arguments) {
  const auto channel = OpenChannel(arguments.connection.server, arguments.connection.tls);
  if (!channel.ok()) return Fail(ExitCode::kFile, channel.status());
  std::string text;
  if (arguments.name.empty()) {
    grpc::ClientContext context;
    if (const auto timeout = arguments.connection.timeout()) {
      context.set_deadline(std::chrono::system_clock::now() + *timeout);
    }
    pb::ListModelsResponse response;
    const grpc::Status status =
        pb::ModelService::NewStub(*channel)->ListModels(&context, {}, &response);
    if (!status.ok()) return FailCall(FromGrpcStatus(status));
    text = arguments.json ? ToJson(response) : FormatModels(response);
  } else {
    pb::ModelSpec model;
    model.set_name(arguments.name);
    model.set_version(arguments.version);
    const auto response = GetModel(*channel, model, arguments.connection.timeout());
    if (!response.ok()) return FailCall(response.status());
    text = arguments.json ? ToJson(*response) : FormatModel(*response);
  }
  std::fputs(text.c_str(), stdout);
  return ExitCode::kOk;
}

std::string FormatModels(const pb::ListModelsResponse& response) {
  std::string text = absl::StrFormat("%-24s %7s  %s\n", "model", "version", "state");
  for (const pb::ModelSummary& summary : response.models()) {
    absl::StrAppend(&text, absl::StrFormat("%-24s %7d  %s", summary.model().name(),
                                           summary.model().version(), NameOf(summary.state())));
    absl::StrAppend(&text, summary.error().empty() ? "" : ": ", summary.error(), "\n");
  }
  return text;
}

std::string FormatModel(const pb::GetModelResponse& model) {
  std::string text;
  const auto line = [&text](const char* key, const std::string& value) {
    if (!value.empty()) absl::StrAppend(&text, absl::StrFormat("%-16s %s\n", key, value));
  };
  line("model", NameOf(model.summary().model()));
  line("state", NameOf(model.summary().state()));
  line("error", model.summary().error());
  line("intended use", model.intended_use());
  line("data set", model.dataset_name());
  line("configuration",
       absl::StrJoin({model.trainer(), model.plans_name(), model.configuration()}, "__"));
  line("channels", absl::StrJoin(model.channel_names(), ", "));
  line("folds", absl::StrJoin(model.folds(), ", "));
  line("mirroring axes", absl::StrJoin(model.mirroring_axes(), ", "));
  line("patch", absl::StrJoin(model.patch_size(), "x"));
  line("spacing in mm", absl::StrJoin(model.spacing_mm(), "x"));
  line("engines", absl::StrJoin(model.engines(), ", "));
  for (const pb::PrecisionReport& report : model.precisions()) {
    line("precision", FormatPrecision(report));
  }
  line("reader", model.image_reader_writer());
  line("previous stage", model.previous_stage());
  if (model.has_previous_stage_model()) line("made by", NameOf(model.previous_stage_model()));
  line("members",
       absl::StrJoin(model.members(), "; ", [](std::string* out, const pb::ModelSpec& member) {
         out->append(NameOf(member));
       }));
  line("post-processing", model.has_postprocessing() ? "yes" : "none");
  line("digest", model.digest());
  absl::StrAppend(&text, model.has_regions() ? "regions\n" : "labels\n");
  for (const pb::Label& label : model.labels()) absl::StrAppend(&text, FormatLabel(label));
  return text;
}

}  // namespace nnseg
