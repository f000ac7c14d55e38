#ifndef NNSEG_CLIENT_COMMANDS_INTERRUPT_WATCHER_H_
#define NNSEG_CLIENT_COMMANDS_INTERRUPT_WATCHER_H_

#include <csignal>
#include <thread>

#include "client/segmentation_client.h"

namespace nnseg {

/// Turns Ctrl-C (SIGINT) and SIGTERM into a cancelled call while in scope; a second one ends the
/// program at once. Construct it before other threads start: they inherit the blocked signals.
class InterruptWatcher {
 public:
  /// `canceller` must outlive the watcher.
  explicit InterruptWatcher(CallCanceller& canceller);
  ~InterruptWatcher();
  InterruptWatcher(const InterruptWatcher&) = delete;
  InterruptWatcher& operator=(const InterruptWatcher&) = delete;

 private:
  sigset_t previous_;
  std::thread thread_;
};

}  // namespace nnseg

#endif  // NNSEG_CLIENT_COMMANDS_INTERRUPT_WATCHER_H_
