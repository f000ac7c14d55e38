#ifndef NNSEG_CORE_BASE_STOP_WATCH_H_
#define NNSEG_CORE_BASE_STOP_WATCH_H_

#include <chrono>
#include <utility>

namespace nnseg {

/// Measures wall time.
class StopWatch {
 public:
  /// Seconds since construction or the last Lap().
  double Lap() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(start_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace nnseg

#endif  // NNSEG_CORE_BASE_STOP_WATCH_H_
