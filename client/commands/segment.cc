#include "client/commands/segment.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/commands/interrupt_watcher.h"
#include "client/io/image_reader.h"
#include "client/io/label_writer.h"
#include "client/io/overlay.h"
#include "client/progress.h"
#include "client/report.h"
#include "client/segmentation_client.h"

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
          "The model's post-processing; default: off")
      ->type_name("on|off")
      ->check(CLI::IsMember({"on", "off"}));
}

void DefineSegment(CLI::App& command, SegmentArguments& arguments) {
  command
      .add_option("input", arguments.inputs,
                  "The scan: .nii.gz, .nii, .nrrd, .mha or .mhd; one file for each channel, in "
                  "the model's order")
      ->type_name("INPUT")
      ->required();
  command
      .add_option("--output", arguments.output,
                  "Label file to write: .nii.gz, .nii, .nrrd, .mha or .mhd")
      ->type_name("FILE")
      ->required();
  command
      .add_option("--overlay", arguments.overlay,
                  "Picture to write: slices with coloured labels and a legend")
      ->type_name("FILE.png");
  command.add_flag("--json", arguments.json, "Print the report as JSON");
  command
      .add_option("--request-id", arguments.request_id,
                  "Your own id for the server's log; never a patient's")
      ->type_name("ID");
  DefinePrediction(command, arguments.prediction);
  DefineConnectionOptions(command, arguments.connection);
}

ExitCode RunSegment(const SegmentArguments& arguments) {
  CallCanceller canceller;
  const InterruptWatcher watcher(canceller);

  if (const absl::Status writable = CheckLabelPath(arguments.output); !writable.ok()) {
    return Fail(ExitCode::kFile, writable);
  }
  const absl::StatusOr<Image> image = ReadImage(arguments.inputs);
  if (!image.ok()) return Fail(ExitCode::kFile, image.status());
  for (const std::string& warning : image->warnings) {
    std::fprintf(stderr, "nnseg: warning: %s\n", warning.c_str());
  }
  const auto channel = OpenChannel(arguments.connection.server, arguments.connection.tls);
  if (!channel.ok()) return Fail(ExitCode::kFile, channel.status());

  absl::StatusOr<SegmentResult> result;
  {
    ProgressDisplay display(stderr);
    SegmentParameters parameters;
    parameters.model = arguments.prediction.model;
    parameters.options = arguments.prediction.options;
    parameters.request_id = arguments.request_id;
    parameters.timeout = arguments.connection.timeout();
    parameters.canceller = &canceller;
    parameters.on_progress = [&](const pb::Progress& progress) { display.Show(progress); };
    result = SegmentationClient(*channel).Segment(*image, parameters);
  }
  if (!result.ok()) return FailCall(result.status());

  if (const absl::Status written = WriteLabels(result->labels, arguments.output); !written.ok()) {
    return Fail(ExitCode::kFile, written);
  }
  if (!arguments.overlay.empty()) {
    const absl::Status drawn = WriteOverlay(*image, result->labels, LegendOf(result->summary),
                                            TitleOf(result->summary), arguments.overlay);
    if (!drawn.ok()) return Fail(ExitCode::kFile, drawn);
  }
  const std::string report = arguments.json ? ReportAsJson(result->accepted, result->summary) + "\n"
                                            : FormatReport(result->summary);
  std::fputs(report.c_str(), stdout);
  return ExitCode::kOk;
}

}  // namespace nnseg
