#ifndef NNSEG_CLIENT_COMMANDS_BENCH_H_
#define NNSEG_CLIENT_COMMANDS_BENCH_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/commands/segment.h"
#include "client/request_trace.h"

namespace nnseg {

/// Arguments of `nnseg bench`.
struct BenchArguments {
  std::vector<std::string> inputs;  ///< one file for each channel
  int requests = 10;                ///< in all
  int clients = 1;                  ///< connections, each with one request at a time
  bool json = false;
  std::string trace;  ///< file for TracesAsJson; empty: none
  PredictionArguments prediction;
  ConnectionOptions connection;
};

/// What was measured.
struct BenchResult {
  std::vector<double> latencies_s;           ///< of the requests that succeeded, as they ended
  std::vector<RequestTrace> traces;          ///< of the same
  std::map<absl::StatusCode, int> failures;  ///< the others, by status
  double wall_s = 0;                         ///< from the first request to the last answer
  double begin_unix_s = 0;                   ///< of the first request, seconds since 1970
  int64_t voxels = 0;                        ///< of the image, one channel
};

/// Adds the command's arguments.
void DefineBench(CLI::App& command, BenchArguments& arguments);

/// Sends one image again and again over several connections and prints latency and throughput. The
/// exit code is that of a failed request, if there is one.
ExitCode RunBench(const BenchArguments& arguments);

/// The value below or at which `fraction` of the values lie (nearest rank). REQUIRES: not empty,
/// fraction in (0, 1].
double Percentile(std::vector<double> values, double fraction);

/// The texts that RunBench prints.
std::string FormatBench(const BenchResult& result);
std::string BenchAsJson(const BenchResult& result);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_COMMANDS_BENCH_H_
