#ifndef NNSEG_CLIENT_COMMANDS_MODELS_H_
#define NNSEG_CLIENT_COMMANDS_MODELS_H_

#include <string>

#include "client/commands/connection_options.h"
#include "segmentation/v1/model_service.pb.h"

namespace nnseg {

/// Arguments of `nnseg models`.
struct ModelsArguments {
  std::string name;  ///< empty: list all
  int version = 0;   ///< with `name`; 0: the newest ready one
  bool json = false;
  ConnectionOptions connection;
};

/// Adds the command's arguments.
void DefineModels(CLI::App& command, ModelsArguments& arguments);

/// Prints the server's models, or one of them in detail.
ExitCode RunModels(const ModelsArguments& arguments);

/// The texts that RunModels prints.
std::string FormatModels(const ::segmentation::v1::ListModelsResponse& response);
std::string FormatModel(const ::segmentation::v1::GetModelResponse& model);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_COMMANDS_MODELS_H_
