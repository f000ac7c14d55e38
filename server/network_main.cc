// Time of one forward pass through a network file, by the engines as the server sets them up.
//
//   network_bench --engine openvino --file fold_0.xml --channels 1 --heads 3 --patch 64 64 64
//
// Loads the file and prints "ready PRECISION". Then each line of standard input, a number of
// passes, is answered by one line: the seconds of each pass. So a caller can time a peer in turn.
#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "core/base/status_macros.h"
#include "server/engines.h"

namespace {

using Clock = std::chrono::steady_clock;

absl::StatusOr<nnseg::Engine> FindEngine(const std::string& name, int threads) {
  nnseg::EngineConfig config;
  config.set_threads(threads);
  config.add_preference(name);
  NNSEG_ASSIGN_OR_RETURN(nnseg::Engines engines, nnseg::MakeEngines(config));
  return engines.front();
}

std::vector<float> Noise(int64_t size) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = normal(generator);
  return values;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Time of one forward pass by nnseg's engines");
  std::string engine_name;
  std::string precision = "fp32";
  std::string file;
  nnseg::PatchSignature signature;
  std::vector<int64_t> patch;
  int threads = 0;
  app.add_option("--engine", engine_name, "torch or openvino")->required();
  app.add_option("--precision", precision, "fp32, bf16, int8, int8_bf16 or fp16");
  app.add_option("--file", file, "the engine's network file")->required();
  app.add_option("--channels", signature.input_channels, "of the input")->required();
  app.add_option("--heads", signature.output_channels, "channels of the output")->required();
  app.add_option("--patch", patch, "its size, three numbers")->required()->expected(3);
  app.add_option("--threads", threads, "0: the server's default");
  CLI11_PARSE(app, argc, argv);
  signature.patch_size = {{patch[0], patch[1], patch[2]}};

  const auto run = [&]() -> absl::Status {
    NNSEG_ASSIGN_OR_RETURN(const nnseg::Engine engine, FindEngine(engine_name, threads));
    const std::vector<float> input = Noise(signature.input_size());
    std::vector<float> output(static_cast<std::size_t>(signature.output_size()));
    std::unique_ptr<nnseg::PatchNetwork> network;
    NNSEG_RETURN_IF_ERROR(engine.scheduler->RunOnDevice([&]() -> absl::Status {
      NNSEG_ASSIGN_OR_RETURN(network, engine.loader->Load(file, signature, precision));
      return network->Run(input, output);  // the first pass allocates
    }));
    std::cout << "ready " << network->precision() << std::endl;
    for (int passes = 0; std::cin >> passes;) {
      for (int i = 0; i < passes; ++i) {
        NNSEG_RETURN_IF_ERROR(engine.scheduler->RunOnDevice([&] {
          const auto start = Clock::now();
          const absl::Status status = network->Run(input, output);
          std::cout << std::chrono::duration<double>(Clock::now() - start).count() << " ";
          return status;
        }));
      }
      std::cout << std::endl;
    }
    return absl::OkStatus();
  };
  const absl::Status status = run();
  if (!status.ok()) std::cerr << "network_bench: " << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
