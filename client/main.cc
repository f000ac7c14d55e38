#include <CLI/CLI.hpp>

#include "client/commands/bench.h"
#include "client/commands/compare.h"
#include "client/commands/health.h"
#include "client/commands/models.h"
#include "client/commands/segment.h"
#include "client/commands/volume.h"
#include "client/exit_code.h"

namespace {

int Run(int argc, char** argv) {
  using namespace nnseg;  // NOLINT(google-build-using-namespace): this file is the program
  CLI::App app(
      "Segments medical images with nnU-Net models on an nnseg server. Not for clinical use.",
      "nnseg");
  app.require_subcommand(1);
  app.footer(kExitCodeHelp);

  SegmentArguments segment_arguments;
  CLI::App* segment = app.add_subcommand("segment", "Segment a scan and write its label file");
  DefineSegment(*segment, segment_arguments);
  CLI::App* volume = app.add_subcommand("volume", "Keep a scan on the server for several requests");
  volume->require_subcommand(1);
  VolumeUploadArguments upload_arguments;
  CLI::App* upload = volume->add_subcommand("upload", "Upload a scan and print its id");
  DefineVolumeUpload(*upload, upload_arguments);
  VolumeReleaseArguments release_arguments;
  CLI::App* release = volume->add_subcommand("release", "Free an uploaded scan");
  DefineVolumeRelease(*release, release_arguments);
  ModelsArguments models_arguments;
  CLI::App* models = app.add_subcommand("models", "List the server's models, or show one");
  DefineModels(*models, models_arguments);
  HealthArguments health_arguments;
  CLI::App* health = app.add_subcommand("health", "Ask whether the server serves");
  DefineHealth(*health, health_arguments);
  BenchArguments bench_arguments;
  CLI::App* bench = app.add_subcommand("bench", "Measure latency and throughput of one scan");
  DefineBench(*bench, bench_arguments);
  CompareArguments compare_arguments;
  CLI::App* compare = app.add_subcommand("compare", "Compare two label files");
  DefineCompare(*compare, compare_arguments);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  ExitCode code = ExitCode::kOk;
  if (segment->parsed()) code = RunSegment(segment_arguments);
  if (upload->parsed()) code = RunVolumeUpload(upload_arguments);
  if (release->parsed()) code = RunVolumeRelease(release_arguments);
  if (models->parsed()) code = RunModels(models_arguments);
  if (health->parsed()) code = RunHealth(health_arguments);
  if (bench->parsed()) code = RunBench(bench_arguments);
  if (compare->parsed()) code = RunCompare(compare_arguments);
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "nnseg: error: %s\n", error.what());
    return static_cast<int>(nnseg::ExitCode::kServerFailed);
  }
}
