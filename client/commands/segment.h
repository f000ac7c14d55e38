#ifndef NNSEG_CLIENT_COMMANDS_SEGMENT_H_
#define NNSEG_CLIENT_COMMANDS_SEGMENT_H_

#include <string>
#include <vector>

#include "client/commands/connection_options.h"
#include "segmentation/v1/segmentation_service.pb.h"

namespace nnseg {

/// Choices that `segment` and `bench` share: the model and how to predict.
struct PredictionArguments {
  ::segmentation::v1::ModelSpec model;
  ::segmentation::v1::SegmentOptions options;
  std::vector<::segmentation::v1::Region> regions;  ///< none: the whole image
};

/// Adds --model, --model-version, --engine, --precision, --folds, --no-tta, --no-gaussian,
/// --step-size, --postprocess, --priority, --roi and --roi-mm.
void DefinePrediction(CLI::App& command, PredictionArguments& arguments);

/// Arguments of `nnseg segment`.
struct SegmentArguments {
  std::vector<std::string> inputs;  ///< one file for each channel
  std::string output;
  std::string overlay;              ///< empty: no picture
  std::string volume_id;            ///< of the input on the server; empty: it is sent
  std::string previous_labels;      ///< empty: the model's own previous stage runs
  std::string probabilities;        ///< empty: none are asked for
  bool half_probabilities = false;  ///< sent as float16
  std::string request_id;
  bool json = false;
  PredictionArguments prediction;
  ConnectionOptions connection;
};

/// Adds the command's arguments.
void DefineSegment(CLI::App& command, SegmentArguments& arguments);

/// Reads, segments, writes label file and picture, prints the report. Progress goes to standard
/// error, the report to standard output.
ExitCode RunSegment(const SegmentArguments& arguments);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_COMMANDS_SEGMENT_H_
