#include "server/event_log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace nnseg {
namespace {

constexpr char kLoggerName[] = "events";
constexpr std::size_t kQueuedLines = 8192;

const char* NameOf(LogLevel level) {
  static constexpr const char* kNames[] = {"debug", "info", "warning", "error"};
  return kNames[static_cast<std::size_t>(level)];
}

}  // namespace

void StartEventLog(const std::string& level) {
  spdlog::init_thread_pool(kQueuedLines, 1);
  auto logger = std::make_shared<spdlog::async_logger>(
      kLoggerName, std::make_shared<spdlog::sinks::stdout_sink_mt>(), spdlog::thread_pool(),
      spdlog::async_overflow_policy::overrun_oldest);
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  spdlog::register_logger(std::move(logger));
}

void StopEventLog() { spdlog::shutdown(); }

void LogEvent(LogLevel level, const char* event, const LogFields& fields) {
  const auto logger = spdlog::get(kLoggerName);
  if (logger == nullptr) return;
  const auto spdlog_level = spdlog::level::from_str(NameOf(level));
  if (!logger->should_log(spdlog_level)) return;
  logger->log(spdlog_level, FormatEvent(level, event, fields));
}

std::string FormatEvent(LogLevel level, const char* event, const LogFields& fields) {
  LogFields line;
  line["ts"] = absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::Now(), absl::UTCTimeZone());
  line["level"] = NameOf(level);
  line["event"] = event;
  line.update(fields);
  return line.dump(-1, ' ', false, LogFields::error_handler_t::replace);
}

}  // namespace nnseg
