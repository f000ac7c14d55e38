#include "client/commands/bench.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/model_info.h"
#include "client/segmentation_client.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "proto/wire/status_codec.h"

namespace nnseg {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Latencies' percentiles by their JSON names, and throughput; nothing without a success.
std::vector<std::pair<std::string, double>> Figures(const BenchResult& result) {
  if (result.latencies_s.empty()) return {};
  const auto& latencies = result.latencies_s;
  const double done = static_cast<double>(latencies.size());
  std::vector<double> first_labels;
  for (const RequestTrace& trace : result.traces) first_labels.push_back(trace.first_labels_s());
  return {{"min_s", *std::min_element(latencies.begin(), latencies.end())},
          {"p50_s", Percentile(latencies, 0.50)},
          {"p95_s", Percentile(latencies, 0.95)},
          {"p99_s", Percentile(latencies, 0.99)},
          {"max_s", *std::max_element(latencies.begin(), latencies.end())},
          {"first_labels_p50_s", first_labels.empty() ? 0 : Percentile(first_labels, 0.50)},
          {"requests_per_s", done / result.wall_s},
          {"megavoxels_per_s", 1e-6 * done * static_cast<double>(result.voxels) / result.wall_s}};
}

absl::StatusOr<BenchResult> Measure(const BenchArguments& arguments, const Image& image) {
  std::vector<SegmentationClient> clients;
  for (int i = 0; i < arguments.clients; ++i) {
    NNSEG_ASSIGN_OR_RETURN(const auto channel,
                           OpenChannel(arguments.connection.server, arguments.connection.tls));
    clients.emplace_back(channel);
  }
  SegmentParameters parameters;
  parameters.model = arguments.prediction.model;
  parameters.options = arguments.prediction.options;
  parameters.regions = arguments.prediction.regions;
  parameters.timeout = arguments.connection.timeout();

  BenchResult result;
  result.voxels = image.voxels.shape().voxels();
  std::mutex mu;
  std::atomic<int> started{0};
  const Clock::time_point start = Clock::now();
  result.begin_unix_s =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  {
    std::vector<std::jthread> threads;
    threads.reserve(clients.size());
    for (std::size_t i = 0; i < clients.size(); ++i) {
      threads.emplace_back([&, i] {
        while (started.fetch_add(1) < arguments.requests) {
          RequestTrace trace(static_cast<int>(i), start);
          SegmentParameters traced = parameters;
          traced.on_response = [&](const auto& response) { trace.Take(response); };
          absl::StatusOr<SegmentResult> segmented = clients[i].Segment(image, traced);
          const absl::Status status = segmented.status();
          if (status.ok()) trace.End(*std::move(segmented));
          std::lock_guard lock(mu);
          if (status.ok()) {
            result.latencies_s.push_back(trace.latency_s());
            result.traces.push_back(std::move(trace));
          } else if (result.failures[status.code()]++ == 0) {
            FailCall(status);  // the first of its kind
          }
        }
      });
    }
  }
  result.wall_s = SecondsSince(start);
  return result;
}

}  // namespace

void DefineBench(CLI::App& command, BenchArguments& arguments) {
  command.add_option("input", arguments.inputs, "The scan, one file for each channel")
      ->type_name("INPUT")
      ->required();
  command.add_option("--requests", arguments.requests, "Requests in all")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      .add_option("--clients", arguments.clients, "Connections, each with one request at a time")
      ->type_name("M")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command.add_flag("--json", arguments.json, "Print JSON");
  command
      .add_option("--trace", arguments.trace,
                  "JSON file to write: when each request began, saw its stages and labels, ended")
      ->type_name("FILE");
  DefinePrediction(command, arguments.prediction);
  DefineConnectionOptions(command, arguments.connection);
}

ExitCode RunBench(const BenchArguments& arguments) {
  const auto channel = OpenChannel(arguments.connection.server, arguments.connection.tls);
  if (!channel.ok()) return Fail(ExitCode::kFile, channel.status());
  const auto model = GetModel(*channel, arguments.prediction.model, arguments.connection.timeout());
  if (!model.ok()) return FailCall(model.status());
  const auto format = FormatOf(*model);
  if (!format.ok()) return FailCall(format.status());
  const absl::StatusOr<Image> image = (*format)->Read(arguments.inputs);
  if (!image.ok()) return Fail(ExitCode::kFile, image.status());
  const absl::StatusOr<BenchResult> result = Measure(arguments, *image);
  if (!result.ok()) return Fail(ExitCode::kFile, result.status());
  if (!arguments.trace.empty()) {
    std::ofstream file(arguments.trace);
    if (!(file << TracesAsJson(result->traces, result->begin_unix_s) << std::flush)) {
      return Fail(ExitCode::kFile,
                  absl::UnavailableError(absl::StrCat(arguments.trace, ": cannot be written")));
    }
  }
  std::fputs((arguments.json ? BenchAsJson(*result) : FormatBench(*result)).c_str(), stdout);
  return result->failures.empty() ? ExitCode::kOk : ExitCodeFor(result->failures.begin()->first);
}

double Percentile(std::vector<double> values, double fraction) {
  NNSEG_CHECK(!values.empty() && fraction > 0 && fraction <= 1);
  const double rank = std::ceil(fraction * static_cast<double>(values.size()));
  const auto nth = values.begin() + static_cast<int64_t>(rank) - 1;
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

std::string FormatBench(const BenchResult& result) {
  std::string text =
      absl::StrFormat("%d requests done in %.2f s\n", result.latencies_s.size(), result.wall_s);
  for (const auto& [name, value] : Figures(result)) {
    absl::StrAppend(&text, absl::StrFormat("%-16s %10.3f\n", name, value));
  }
  for (const auto& [code, count] : result.failures) {
    absl::StrAppend(&text, absl::StrFormat("failed %-16s %3d\n", NameOf(code), count));
  }
  return text;
}

std::string BenchAsJson(const BenchResult& result) {
  nlohmann::ordered_json json;
  json["done"] = result.latencies_s.size();
  json["wall_s"] = result.wall_s;
  for (const auto& [name, value] : Figures(result)) json[name] = value;
  json["failures"] = nlohmann::ordered_json::object();
  for (const auto& [code, count] : result.failures) json["failures"][NameOf(code)] = count;
  return json.dump(2) + "\n";
}

}  // namespace nnseg
