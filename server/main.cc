// nnseg-server: serves nnU-Net models over gRPC until SIGTERM or SIGINT.
//
// Exit status: 0 after a drain, 1 when it cannot start, 2 for a bad command line or configuration,
// 143 when a second signal cuts the drain short.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <future>
#include <iostream>
#include <string>
#include <thread>

#include "server/engines.h"
#include "server/event_log.h"
#include "server/server.h"
#include "server/server_config.h"

namespace {

constexpr int kCannotStart = 1;
constexpr int kBadConfiguration = 2;
constexpr int kKilledBySecondSignal = 143;

struct CommandLine {
  std::string config_file;
  nnseg::ServerConfig flags;  // only what was given
  bool validate_only = false;
};

int Fail(int exit_status, const absl::Status& status) {
  std::cerr << "nnseg-server: " << status.message() << "\n";
  return exit_status;
}

absl::StatusOr<nnseg::ServerConfig> MakeConfig(const CommandLine& command_line) {
  nnseg::ServerConfig config;
  if (!command_line.config_file.empty()) {
    if (absl::Status status = nnseg::MergeConfigFile(command_line.config_file, config);
        !status.ok()) {
      return status;
    }
  }
  config.MergeFrom(command_line.flags);
  if (absl::Status status = nnseg::ValidateConfig(config); !status.ok()) return status;
  return config;
}

// The signals that stop the server, taken by WaitForSignal instead of handlers. Before any thread
// starts, so that all inherit the mask.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

void WaitForSignal(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
}

int Serve(const nnseg::ServerConfig& config, const sigset_t& signals) {
  absl::StatusOr<nnseg::Engines> engines =
      nnseg::MakeEngines(config.engines(), config.limits().device_memory_bytes());
  if (!engines.ok()) return Fail(kCannotStart, engines.status());
  auto server = nnseg::Server::Start(config, *std::move(engines));
  if (!server.ok()) return Fail(kCannotStart, server.status());

  const std::future<void> loading =
      std::async(std::launch::async, [&] { (*server)->LoadModels(); });
  WaitForSignal(signals);
  std::thread([signals] {
    WaitForSignal(signals);
    _exit(kKilledBySecondSignal);
  }).detach();
  (*server)->Drain();
  if (loading.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    nnseg::StopEventLog();
    _exit(EXIT_SUCCESS);  // an engine cannot be stopped while it loads
  }
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Serves nnU-Net models over gRPC");
  CommandLine command_line;
  nnseg::ServerConfig& flags = command_line.flags;
  const auto add_text = [&](const char* name, const char* help, auto set) {
    app.add_option_function<std::string>(name, set, help);
  };
  add_text("--model-repository", "folder of models, <name>/<version>/",
           [&](const std::string& value) { flags.set_model_repository(value); });
  add_text("--listen", "HOST:PORT for gRPC (default 127.0.0.1:8001)",
           [&](const std::string& value) { flags.set_listen(value); });
  add_text("--http", "HOST:PORT for /metrics, /livez, /readyz (default 127.0.0.1:8002)",
           [&](const std::string& value) { flags.set_http(value); });
  app.add_option("--config", command_line.config_file,
                 "configuration, a text proto: see docs/configuration.md");
  app.add_flag("--validate-only", command_line.validate_only,
               "check the configuration, print it with all defaults and exit");
  app.set_version_flag("--version", NNSEG_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : kBadConfiguration;
  }

  const absl::StatusOr<nnseg::ServerConfig> config = MakeConfig(command_line);
  if (!config.ok()) return Fail(kBadConfiguration, config.status());
  if (command_line.validate_only) {
    std::cout << nnseg::EffectiveConfigText(*config) << "\n";
    return EXIT_SUCCESS;
  }
  const sigset_t signals = BlockStopSignals();
  nnseg::StartEventLog(config->log_level());
  nnseg::LogEvent(
      nnseg::LogLevel::kInfo, "configuration",
      {{"version", NNSEG_VERSION}, {"configuration", nnseg::EffectiveConfigText(*config)}});
  const int exit_status = Serve(*config, signals);
  nnseg::StopEventLog();
  return exit_status;
}
