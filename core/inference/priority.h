#ifndef NNSEG_CORE_INFERENCE_PRIORITY_H_
#define NNSEG_CORE_INFERENCE_PRIORITY_H_

namespace nnseg {

/// Who goes first on a device: interactive passes before those of batch cases, which still get a
/// share as they age.
enum class Priority { kInteractive, kBatch };

/// "interactive" or "batch".
constexpr const char* NameOf(Priority priority) {
  return priority == Priority::kInteractive ? "interactive" : "batch";
}

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_PRIORITY_H_
