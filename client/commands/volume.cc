#include "client/commands/volume.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "client/commands/interrupt_watcher.h"
#include "client/model_info.h"
#include "client/volume_client.h"
#include "proto/wire/duration_codec.h"

namespace nnseg {

void DefineVolumeUpload(CLI::App& command, VolumeUploadArguments& arguments) {
  command.add_option("input", arguments.inputs, "The scan, one file for each channel")
      ->type_name("INPUT")
      ->required();
  command
      .add_option_function<std::string>(
          "--model", [&](const std::string& name) { arguments.model.set_name(name); },
          "A model that will use it: its reader reads the files. Models of the same reader and "
          "channels can share the volume")
      ->type_name("NAME")
      ->required();
  command
      .add_option("--idle-timeout", arguments.idle_timeout_s,
                  "Free it after so long without use; default, and at most: the server's limit")
      ->type_name("SECONDS")
      ->check(CLI::PositiveNumber);
  DefineConnectionOptions(command, arguments.connection);
}

void DefineVolumeRelease(CLI::App& command, VolumeReleaseArguments& arguments) {
  command.add_option("id", arguments.id, "What `nnseg volume upload` printed")
      ->type_name("ID")
      ->required();
  DefineConnectionOptions(command, arguments.connection);
}

ExitCode RunVolumeUpload(const VolumeUploadArguments& arguments) {
  CallCanceller canceller;
  const InterruptWatcher watcher(canceller);
  const auto channel = OpenChannel(arguments.connection.server, arguments.connection.tls);
  if (!channel.ok()) return Fail(ExitCode::kFile, channel.status());
  const auto model = GetModel(*channel, arguments.model, arguments.connection.timeout());
  if (!model.ok()) return FailCall(model.status());
  const auto format = FormatOf(*model);
  if (!format.ok()) return FailCall(format.status());
  const absl::StatusOr<Image> image = (*format)->Read(arguments.inputs);
  if (!image.ok()) return Fail(ExitCode::kFile, image.status());
  for (const std::string& warning : image->warnings) {
    std::fprintf(stderr, "nnseg: warning: %s\n", warning.c_str());
  }
  VolumeParameters parameters{.timeout = arguments.connection.timeout(), .canceller = &canceller};
  if (arguments.idle_timeout_s > 0) {
    parameters.idle_timeout =
        std::chrono::milliseconds(static_cast<int64_t>(arguments.idle_timeout_s * 1000));
  }
  const auto kept = VolumeClient(*channel).Upload(*image, parameters);
  if (!kept.ok()) return FailCall(kept.status());
  std::fprintf(stderr, "nnseg: kept until %g s after its last use\n",
               FromProto(kept->idle_timeout()).count());
  std::printf("%s\n", kept->volume_id().c_str());
  return ExitCode::kOk;
}

ExitCode RunVolumeRelease(const VolumeReleaseArguments& arguments) {
  const auto channel = OpenChannel(arguments.connection.server, arguments.connection.tls);
  if (!channel.ok()) return Fail(ExitCode::kFile, channel.status());
  const absl::Status released =
      VolumeClient(*channel).Release(arguments.id, arguments.connection.timeout());
  return released.ok() ? ExitCode::kOk : FailCall(released);
}

}  // namespace nnseg
