#include "client/commands/interrupt_watcher.h"

#include <pthread.h>
#include <unistd.h>

#include "client/exit_code.h"

namespace nnseg {
namespace {

/// Sent to the watching thread only, by the destructor.
constexpr int kStopSignal = SIGUSR1;

}  // namespace

InterruptWatcher::InterruptWatcher(CallCanceller& canceller) {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : {SIGINT, SIGTERM, kStopSignal}) sigaddset(&watched, signal);
  pthread_sigmask(SIG_BLOCK, &watched, &previous_);
  thread_ = std::thread([watched, &canceller] {
    for (bool again = false;; again = true) {
      int signal = 0;
      sigwait(&watched, &signal);
      if (signal == kStopSignal) return;
      if (again) _exit(static_cast<int>(ExitCode::kStopped));
      canceller.Cancel();
    }
  });
}

InterruptWatcher::~InterruptWatcher() {
  pthread_kill(thread_.native_handle(), kStopSignal);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

}  // namespace nnseg
