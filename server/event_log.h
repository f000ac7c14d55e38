#ifndef NNSEG_SERVER_EVENT_LOG_H_
#define NNSEG_SERVER_EVENT_LOG_H_

#include <nlohmann/json.hpp>
#include <string>

namespace nnseg {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// Fields of a log line, in order.
using LogFields = nlohmann::ordered_json;

/// Starts the program's log: one JSON object a line on standard output, beginning with ts (RFC 3339
/// UTC), level and event. A thread of its own writes; when it cannot keep up, the oldest lines are
/// dropped. Before the first call nothing is logged. `level`: "debug", "info", "warning", "error".
void StartEventLog(const std::string& level);

/// Writes what is left and ends the thread.
void StopEventLog();

/// Logs one event. Thread-safe, never blocks. Fields hold ids, counts, sizes, times and codes,
/// never voxels, client-made names or other data of patients.
void LogEvent(LogLevel level, const char* event, const LogFields& fields = LogFields::object());

/// The line without its end; `ts` is the time now.
std::string FormatEvent(LogLevel level, const char* event, const LogFields& fields);

}  // namespace nnseg

#endif  // NNSEG_SERVER_EVENT_LOG_H_
