#ifndef NNSEG_CORE_INFERENCE_DEVICE_MEMORY_H_
#define NNSEG_CORE_INFERENCE_DEVICE_MEMORY_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace nnseg {

/// The budget of one device's memory: what networks hold of it as long as they are loaded, what
/// their passes take while they run, and what is left to cases. It counts what it is told; it
/// measures and allocates nothing. Thread-safe.
class DeviceMemory {
 public:
  /// A network's share, held until it dies.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept { *this = std::move(other); }
    Share& operator=(Share&& other) noexcept {
      std::swap(memory_, other.memory_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Share() {
      if (memory_ != nullptr) memory_->Hold(-bytes_);
    }

   private:
    friend class DeviceMemory;
    Share(std::shared_ptr<DeviceMemory> memory, int64_t bytes)
        : memory_(std::move(memory)), bytes_(bytes) {}

    std::shared_ptr<DeviceMemory> memory_;
    int64_t bytes_ = 0;
  };

  /// REQUIRES: `budget` is not negative.
  explicit DeviceMemory(int64_t budget) : budget_(budget) {}

  /// Counts what is resident of a network. Never refused: it is there already.
  static Share ShareOf(std::shared_ptr<DeviceMemory> memory, int64_t bytes);

  /// Passes of `pass_bytes` each that a network may run as one batch: at most `most`, and no more
  /// than fit in a quarter of what resident networks leave; 0 when not even one does. They are
  /// counted from now on: passes of all networks run one after another in the same memory, so only
  /// the largest batch ever counts, and one pass at least. REQUIRES: both are at least 1.
  int64_t ReserveBatch(int64_t pass_bytes, int64_t most);

  int64_t budget() const { return budget_; }
  /// What networks and their passes leave to cases.
  int64_t left_to_cases() const;

 private:
  void Hold(int64_t bytes);

  const int64_t budget_;
  mutable std::mutex mu_;
  int64_t resident_ = 0;  // guarded by mu_
  int64_t passes_ = 0;    // guarded by mu_
};

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_DEVICE_MEMORY_H_
