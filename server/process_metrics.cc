#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

#include "server/metrics.h"

namespace nnseg {
namespace {

/// The fields of /proc/self/stat that are used, by their numbers in proc(5).
struct ProcessStat {
  double cpu_seconds = 0;     // 14 + 15
  double threads = 0;         // 20
  double start_seconds = 0;   // 22, since boot
  double virtual_bytes = 0;   // 23
  double resident_bytes = 0;  // 24
};

ProcessStat ReadStat() {
  std::ifstream file("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  // The name in parentheses may hold anything: fields are counted from its end, where 3 begins.
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text.substr(name_end + 1));
  const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  ProcessStat stat;
  std::string value;
  for (int field = 3; field <= 24 && fields >> value; ++field) {
    const double number = field == 3 ? 0 : std::stod(value);
    if (field == 14 || field == 15) stat.cpu_seconds += number * tick;
    if (field == 20) stat.threads = number;
    if (field == 22) stat.start_seconds = number * tick;
    if (field == 23) stat.virtual_bytes = number;
    if (field == 24) stat.resident_bytes = number * static_cast<double>(sysconf(_SC_PAGESIZE));
  }
  return stat;
}

double BootTime() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    if (double seconds = 0; word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

double OpenDescriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator entries("/proc/self/fd", error);
  return error ? 0 : static_cast<double>(std::distance(begin(entries), end(entries)));
}

}  // namespace

std::vector<prometheus::MetricFamily> CollectProcess() {
  using prometheus::MetricType;
  static const double boot_time = BootTime();
  const ProcessStat stat = ReadStat();
  return {
      MakeFamily("process_cpu_seconds_total", "CPU time used", MetricType::Counter,
                 stat.cpu_seconds),
      MakeFamily("process_resident_memory_bytes", "Resident memory", MetricType::Gauge,
                 stat.resident_bytes),
      MakeFamily("process_virtual_memory_bytes", "Virtual memory", MetricType::Gauge,
                 stat.virtual_bytes),
      MakeFamily("process_open_fds", "Open file descriptors", MetricType::Gauge, OpenDescriptors()),
      MakeFamily("process_threads", "Threads", MetricType::Gauge, stat.threads),
      MakeFamily("process_start_time_seconds", "Start time since the epoch", MetricType::Gauge,
                 boot_time + stat.start_seconds),
  };
}

}  // namespace nnseg
