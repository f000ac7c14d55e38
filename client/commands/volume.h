#ifndef NNSEG_CLIENT_COMMANDS_VOLUME_H_
#define NNSEG_CLIENT_COMMANDS_VOLUME_H_

#include <string>
#include <vector>

#include "client/commands/connection_options.h"
#include "segmentation/v1/segmentation_service.pb.h"

namespace nnseg {

/// Arguments of `nnseg volume upload`.
struct VolumeUploadArguments {
  std::vector<std::string> inputs;      ///< one file for each channel
  ::segmentation::v1::ModelSpec model;  ///< whose reader reads them
  double idle_timeout_s = 0;            ///< 0: the server's limit
  ConnectionOptions connection;
};

/// Arguments of `nnseg volume release`.
struct VolumeReleaseArguments {
  std::string id;
  ConnectionOptions connection;
};

/// Adds the arguments of the two commands.
void DefineVolumeUpload(CLI::App& command, VolumeUploadArguments& arguments);
void DefineVolumeRelease(CLI::App& command, VolumeReleaseArguments& arguments);

/// Uploads a scan and prints the id under which the server keeps it, alone on one line of standard
/// output.
ExitCode RunVolumeUpload(const VolumeUploadArguments& arguments);
/// Frees a volume.
ExitCode RunVolumeRelease(const VolumeReleaseArguments& arguments);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_COMMANDS_VOLUME_H_
