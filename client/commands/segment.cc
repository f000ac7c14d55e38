#include "client/commands/segment.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/commands/interrupt_watcher.h"
#include "client/commands/roi.h"
#include "client/io/label_reader.h"
#include "client/io/overlay.h"
#include "client/model_info.h"
#include "client/progress.h"
#include "client/report.h"
#include "client/segmentation_client.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

namespace pb = ::segmentation::v1;

pb::Toggle ToggleOf(bool on) { return on ? pb::TOGGLE_ON : pb::TOGGLE_OFF; }

std::vector<LegendEntry> LegendOf(const pb::Summary& summary) {
  std::vector<LegendEntry> legend;
  for (const auto& label : summary.label_volumes()) {
    if (label.value() != 0 && label.voxels() > 0) {
      legend.push_back({label.value(), label.name(), label.volume_ml()});
    }
  }
  return legend;
}

std::string TitleOf(const pb::Summary& summary) {
  return absl::StrCat(summary.model().name(), ", version ", summary.model().version());
}

/// What is sent.
struct Case {
  Image image;
  std::optional<LabelMap> previous;  ///< labels of the stage before
};

/// Whether the files to be written could be: asked before the work begins.
absl::Status CheckOutputs(const SegmentArguments& arguments, const ImageFormat& format) {
  NNSEG_RETURN_IF_ERROR(format.CheckPath(arguments.output));
  if (!arguments.probabilities.empty()) {
    NNSEG_RETURN_IF_ERROR(CheckProbabilityPath(arguments.probabilities));
  }
  return absl::OkStatus();
}

absl::StatusOr<Case> ReadCase(const SegmentArguments& arguments, const ImageFormat& format) {
  Case input;
  NNSEG_ASSIGN_OR_RETURN(input.image, format.Read(arguments.inputs));
  if (!arguments.previous_labels.empty()) {
    NNSEG_ASSIGN_OR_RETURN(input.previous, ReadLabels(format, arguments.previous_labels));
    if (input.previous->labels.shape() != input.image.voxels.shape()) {
      return absl::InvalidArgumentError(absl::StrCat(
          arguments.previous_labels, ": ", absl::StrJoin(input.previous->geometry.size, "x"),
          " voxels, expected ", absl::StrJoin(input.image.geometry.size, "x"), " as the image"));
    }
  }
  return input;
}

absl::StatusOr<SegmentResult> Segment(const SegmentArguments& arguments, const Case& input,
                                      bool has_regions, CallCanceller& canceller,
                                      const std::shared_ptr<grpc::Channel>& channel) {
  ProgressDisplay display(stderr);
  SegmentParameters parameters;
  parameters.model = arguments.prediction.model;
  parameters.options = arguments.prediction.options;
  parameters.regions = arguments.prediction.regions;
  if (!arguments.probabilities.empty()) {
    parameters.options.set_probabilities(
        arguments.half_probabilities ? pb::PROBABILITY_TYPE_FLOAT16 : pb::PROBABILITY_TYPE_FLOAT32);
  }
  parameters.request_id = arguments.request_id;
  parameters.volume_id = arguments.volume_id;
  parameters.timeout = arguments.connection.timeout();
  parameters.canceller = &canceller;
  parameters.previous_labels = input.previous.has_value() ? &input.previous->labels : nullptr;
  parameters.has_regions = has_regions;
  parameters.on_progress = [&](const pb::Progress& progress) { display.Show(progress); };
  return SegmentationClient(channel).Segment(input.image, parameters);
}

absl::Status WriteOutputs(const SegmentArguments& arguments, const ImageFormat& format,
                          const Image& image, const SegmentResult& result) {
  NNSEG_RETURN_IF_ERROR(format.Write(result.labels, image.file, arguments.output));
  if (result.probabilities.has_value()) {
    NNSEG_RETURN_IF_ERROR(
        WriteProbabilities(*result.probabilities, image.file, arguments.probabilities));
  }
  if (arguments.overlay.empty()) return absl::OkStatus();
  return WriteOverlay(image, result.labels, LegendOf(result.summary), TitleOf(result.summary),
                      arguments.overlay);
}

/// An option that may come several times and appends to `regions`.
void DefineRegion(CLI::App& command, const char* name,
                  absl::StatusOr<pb::Region> (*parse)(const std::string&), const char* type_name,
                  const char* description, std::vector<pb::Region>& regions) {
  command
      .add_option_function<std::vector<std::string>>(
          name,
          [&regions, parse](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) regions.push_back(*parse(text));
          },
          description)
      ->type_name(type_name)
      ->allow_extra_args(false)
      ->check(
          [parse](const std::string& text) { return std::string(parse(text).status().message()); });
}

}  // namespace

void DefinePrediction(CLI::App& command, PredictionArguments& arguments) {
  pb::ModelSpec& model = arguments.model;
  pb::SegmentOptions& options = arguments.options;
  command
      .add_option_function<std::string>(
          "--model", [&](const std::string& name) { model.set_name(name); },
          "The model, as `nnseg models` lists it")
      ->type_name("NAME")
      ->required();
  command
      .add_option_function<int>(
          "--model-version", [&](int version) { model.set_version(version); },
          "Its version; default: the newest ready one")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  const std::map<std::string, pb::EngineChoice> engines{{"auto", pb::ENGINE_CHOICE_AUTO},
                                                        {"openvino", pb::ENGINE_CHOICE_OPENVINO},
                                                        {"torch", pb::ENGINE_CHOICE_TORCH}};
  command
      .add_option_function<std::string>(
          "--engine",
          [&options, engines](const std::string& name) { options.set_engine(engines.at(name)); },
          "auto, openvino (the fast one on a CPU) or torch (on a CPU nnU-Net's own labels)")
      ->type_name("E")
      ->check(CLI::IsMember({"auto", "openvino", "torch"}));
  const std::map<std::string, pb::Precision> precisions{
      {"auto", pb::PRECISION_AUTO}, {"exact", pb::PRECISION_EXACT},
      {"fp32", pb::PRECISION_FP32}, {"bf16", pb::PRECISION_BF16},
      {"int8", pb::PRECISION_INT8}, {"int8_bf16", pb::PRECISION_INT8_BF16},
      {"fp16", pb::PRECISION_FP16}};
  command
      .add_option_function<std::string>(
          "--precision",
          [&options, precisions](const std::string& name) {
            options.set_precision(precisions.at(name));
          },
          "Arithmetic of the network: exact (nnU-Net's own labels on a CPU), fp32, bf16, int8, "
          "int8_bf16, fp16, or auto, the fastest of those that `nnseg models NAME` shows as "
          "offered; default: the model's policy")
      ->type_name("P")
      ->check(CLI::IsMember({"auto", "exact", "fp32", "bf16", "int8", "int8_bf16", "fp16"}));
  command
      .add_option_function<std::string>(
          "--folds",
          [&](const std::string& list) {
            options.clear_folds();
            for (const absl::string_view fold : absl::StrSplit(list, ',')) {
              options.add_folds(std::string(fold));
            }
          },
          "Folds to average, for example 0,1; default: all of the model's")
      ->type_name("0,1");
  command.add_flag_callback(
      "--no-tta", [&] { options.set_mirroring(ToggleOf(false)); },
      "Predict once, without nnU-Net's mirroring test-time augmentation");
  command.add_flag_callback(
      "--no-gaussian", [&] { options.set_gaussian(ToggleOf(false)); },
      "Weight all voxels of a tile equally, not by nnU-Net's Gaussian");
  command
      .add_option_function<double>(
          "--step-size", [&](double step) { options.set_tile_step_size(step); },
          "Distance of tiles in patches, above 0 and at most 1; default: 0.5")
      ->type_name("S")
      ->check(CLI::PositiveNumber);
  command
      .add_option_function<std::string>(
          "--postprocess",
          [&](const std::string& state) { options.set_postprocessing(ToggleOf(state == "on")); },
          "The model's post-processing; default: on where it has rules")
      ->type_name("on|off")
      ->check(CLI::IsMember({"on", "off"}));
  command
      .add_option_function<std::string>(
          "--priority",
          [&](const std::string& name) {
            options.set_priority(name == "batch" ? pb::PRIORITY_BATCH : pb::PRIORITY_INTERACTIVE);
          },
          "Place in the device's queue: interactive where somebody waits, else batch; default: "
          "interactive with regions, else batch")
      ->type_name("P")
      ->check(CLI::IsMember({"interactive", "batch"}));
  DefineRegion(command, "--roi", ParseVoxelRegion, "z0:z1,y0:y1,x0:x1",
               "Segment this box of voxels only, first to one past the last; may be repeated",
               arguments.regions);
  DefineRegion(command, "--roi-mm", ParsePhysicalRegion, "x0:x1,y0:y1,z0:z1",
               "Segment what lies in this box only, millimetres of the LPS world; may be repeated",
               arguments.regions);
}

void DefineSegment(CLI::App& command, SegmentArguments& arguments) {
  command
      .add_option("input", arguments.inputs,
                  "The scan, of the file type of the model's reader (.nii.gz, .nrrd, .mha, .png, "
                  ".tif, ...); one file for each channel, in the model's order")
      ->type_name("INPUT")
      ->required();
  command
      .add_option("--output", arguments.output,
                  "Label file to write, of the file type of the model's reader")
      ->type_name("FILE")
      ->required();
  command
      .add_option("--overlay", arguments.overlay,
                  "Picture to write: slices with coloured labels and a legend")
      ->type_name("FILE.png");
  command
      .add_option(
          "--volume", arguments.volume_id,
          "Id of the scan as `nnseg volume upload` printed it: the files are read for their "
          "grid, but not sent")
      ->type_name("ID");
  command
      .add_option("--previous-labels", arguments.previous_labels,
                  "Label file of a cascade's previous stage; default: the server makes it")
      ->type_name("FILE");
  auto* probabilities =
      command
          .add_option("--probabilities", arguments.probabilities,
                      "Class probabilities to write: .npz as nnU-Net does, or 4D .nii.gz, .nii or "
                      ".nrrd")
          ->type_name("FILE");
  command
      .add_option_function<std::string>(
          "--probability-type",
          [&](const std::string& type) { arguments.half_probabilities = type == "float16"; },
          "Number type in which they are sent; default: float32, nnU-Net's values")
      ->type_name("float16|float32")
      ->check(CLI::IsMember({"float16", "float32"}))
      ->needs(probabilities);
  command.add_flag("--json", arguments.json, "Print the report as JSON");
  command
      .add_option("--request-id", arguments.request_id,
                  "Your own id for the server's log; never a patient's")
      ->type_name("ID");
  DefinePrediction(command, arguments.prediction);
  DefineConnectionOptions(command, arguments.connection);
  command
      .add_flag_callback(
          "--reduce-to-deadline",
          [&] { arguments.prediction.options.set_reduce_to_meet_deadline(true); },
          "Where the deadline would be missed, leave out mirroring, then all folds but the first; "
          "the report says so")
      ->needs("--deadline");
}

ExitCode RunSegment(const SegmentArguments& arguments) {
  CallCanceller canceller;
  const InterruptWatcher watcher(canceller);

  const auto channel = OpenChannel(arguments.connection.server, arguments.connection.tls);
  if (!channel.ok()) return Fail(ExitCode::kFile, channel.status());
  const auto model = GetModel(*channel, arguments.prediction.model, arguments.connection.timeout());
  if (!model.ok()) return FailCall(model.status());
  const auto format = FormatOf(*model);
  if (!format.ok()) return FailCall(format.status());

  if (const absl::Status writable = CheckOutputs(arguments, **format); !writable.ok()) {
    return Fail(ExitCode::kFile, writable);
  }
  const absl::StatusOr<Case> input = ReadCase(arguments, **format);
  if (!input.ok()) return Fail(ExitCode::kFile, input.status());
  for (const std::string& warning : input->image.warnings) {
    std::fprintf(stderr, "nnseg: warning: %s\n", warning.c_str());
  }
  const absl::StatusOr<SegmentResult> result =
      Segment(arguments, *input, model->has_regions(), canceller, *channel);
  if (!result.ok()) return FailCall(result.status());
  const absl::Status written = WriteOutputs(arguments, **format, input->image, *result);
  if (!written.ok()) return Fail(ExitCode::kFile, written);
  const std::string report = arguments.json ? ReportAsJson(result->accepted, result->summary) + "\n"
                                            : FormatReport(result->summary);
  std::fputs(report.c_str(), stdout);
  return ExitCode::kOk;
}

}  // namespace nnseg
