// Runs one network file by the engines as the server sets them up.
//
//   nnseg-network --engine openvino --precision bf16 --file fold_0.bf16.xml --channels 1 --heads 3
//   --patch 64 64 64
//
// Standard input brings patches (channels x patch, float32) one after the other, and the logits of
// each (heads x patch, float32) go to standard output, until the input ends.
//
// With --time, prints "ready PRECISION"; then each line of standard input, a number of passes, is
// answered by one line: the seconds of each pass. So a caller can time a peer in turn.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/inference/probe_tile.h"
#include "server/engines.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string engine;
  std::string precision = "fp32";
  std::string file;
  nnseg::PatchSignature signature;
  int threads = 0;
  bool time = false;
};

absl::StatusOr<nnseg::Engine> FindEngine(const std::string& name, int threads) {
  nnseg::EngineConfig config;
  config.set_threads(threads);
  config.add_preference(name);
  NNSEG_ASSIGN_OR_RETURN(nnseg::Engines engines, nnseg::MakeEngines(config));
  return engines.front();
}

absl::Status TimePasses(const nnseg::Engine& engine, nnseg::PatchNetwork& network) {
  const std::vector<float> input = nnseg::ProbeTile(network.signature());
  std::vector<float> output(static_cast<std::size_t>(network.signature().output_size()));
  const auto run = [&] { return network.Run(input, output); };
  NNSEG_RETURN_IF_ERROR(engine.scheduler->RunOnDevice(run));  // the first pass allocates
  std::cout << "ready " << network.precision() << std::endl;
  for (int passes = 0; std::cin >> passes;) {
    for (int i = 0; i < passes; ++i) {
      NNSEG_RETURN_IF_ERROR(engine.scheduler->RunOnDevice([&] {
        const auto start = Clock::now();
        absl::Status status = run();
        std::cout << std::chrono::duration<double>(Clock::now() - start).count() << " ";
        return status;
      }));
    }
    std::cout << std::endl;
  }
  return absl::OkStatus();
}

absl::Status RunPatches(const nnseg::Engine& engine, nnseg::PatchNetwork& network) {
  std::vector<float> input(static_cast<std::size_t>(network.signature().input_size()));
  std::vector<float> output(static_cast<std::size_t>(network.signature().output_size()));
  for (;;) {
    const std::size_t bytes = input.size() * sizeof(float);
    const std::size_t got = std::fread(input.data(), 1, bytes, stdin);
    if (got == 0) return absl::OkStatus();
    if (got != bytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("the last patch has ", got, " bytes, expected ", bytes));
    }
    NNSEG_RETURN_IF_ERROR(
        engine.scheduler->RunOnDevice([&] { return network.Run(input, output); }));
    const bool written =
        std::fwrite(output.data(), sizeof(float), output.size(), stdout) == output.size() &&
        std::fflush(stdout) == 0;
    if (!written) return absl::UnavailableError("standard output was closed");
  }
}

absl::Status Run(const Options& options) {
  NNSEG_ASSIGN_OR_RETURN(const nnseg::Engine engine, FindEngine(options.engine, options.threads));
  std::unique_ptr<nnseg::PatchNetwork> network;
  NNSEG_RETURN_IF_ERROR(engine.scheduler->RunOnDevice([&]() -> absl::Status {
    NNSEG_ASSIGN_OR_RETURN(network,
                           engine.loader->Load(options.file, options.signature, options.precision));
    return absl::OkStatus();
  }));
  return options.time ? TimePasses(engine, *network) : RunPatches(engine, *network);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs one network file by nnseg's engines: patches in, logits out");
  Options options;
  std::vector<int64_t> patch;
  app.add_option("--engine", options.engine, "torch or openvino")->required();
  app.add_option("--precision", options.precision, "fp32, bf16, int8, int8_bf16 or fp16");
  app.add_option("--file", options.file, "the engine's network file")->required();
  app.add_option("--channels", options.signature.input_channels, "of the input")->required();
  app.add_option("--heads", options.signature.output_channels, "channels of the output")
      ->required();
  app.add_option("--patch", patch, "its size: two or three numbers")->required()->expected(2, 3);
  app.add_option("--threads", options.threads, "0: the server's default");
  app.add_flag("--time", options.time, "time passes over a probe tile instead");
  CLI11_PARSE(app, argc, argv);
  options.signature.patch_dimensions = static_cast<int>(patch.size());
  patch.insert(patch.begin(), 3 - patch.size(), 1);
  options.signature.patch_size = {{patch[0], patch[1], patch[2]}};
  const absl::Status status = Run(options);
  if (!status.ok()) std::cerr << "nnseg-network: " << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
