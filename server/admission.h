#ifndef NNSEG_SERVER_ADMISSION_H_
#define NNSEG_SERVER_ADMISSION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "core/inference/device_memory.h"

namespace nnseg {

/// Decides, before a voxel is buffered, whether a case may enter: there is a budget of host bytes,
/// one of device bytes and a number of places, and each case holds its share of all until its
/// ticket dies. What is kept between cases holds host bytes without a place. Thread-safe.
class Admission {
 public:
  /// A case's share. Must not outlive its Admission.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept { *this = std::move(other); }
    Ticket& operator=(Ticket&& other) noexcept {
      std::swap(admission_, other.admission_);
      std::swap(bytes_, other.bytes_);
      std::swap(device_bytes_, other.device_bytes_);
      std::swap(places_, other.places_);
      return *this;
    }
    ~Ticket() {
      if (admission_ != nullptr) admission_->Release(bytes_, device_bytes_, places_);
    }

    /// Gives back the place and all but `bytes` of the host, for what outlives its case. REQUIRES:
    /// no more than the ticket has.
    void Keep(int64_t bytes);

   private:
    friend class Admission;
    Ticket(Admission& admission, int64_t bytes, int64_t device_bytes, int places)
        : admission_(&admission), bytes_(bytes), device_bytes_(device_bytes), places_(places) {}

    Admission* admission_ = nullptr;
    int64_t bytes_ = 0;
    int64_t device_bytes_ = 0;
    int places_ = 0;
  };

  /// `what` names in texts what is admitted; `device` is null where there are no device bytes to be
  /// had. REQUIRES: neither limit is negative.
  Admission(int64_t byte_limit, int place_limit, std::string what = "case",
            std::shared_ptr<const DeviceMemory> device = nullptr)
      : byte_limit_(byte_limit),
        place_limit_(place_limit),
        what_(std::move(what)),
        device_(std::move(device)) {}

  /// Sets what is called, without a lock, when a case lacks room for so many bytes and before it is
  /// refused: it may let tickets of AdmitKept die. Not thread-safe: call before the first Admit.
  void SetReclaim(std::function<void(int64_t missing_bytes)> reclaim) {
    reclaim_ = std::move(reclaim);
  }

  /// RESOURCE_EXHAUSTED when the case is too large for this server, or when there is no room now;
  /// the text tells which, and names the memory, got and limit.
  absl::StatusOr<Ticket> Admit(int64_t bytes, int64_t device_bytes = 0);
  /// The same for something kept between cases: it takes no place, and nothing is reclaimed for it.
  absl::StatusOr<Ticket> AdmitKept(int64_t bytes) { return Take(bytes, 0, 0); }

  int64_t byte_limit() const { return byte_limit_; }
  int64_t bytes_in_use() const;
  /// What networks leave of the device's memory: less when more models are loaded.
  int64_t device_byte_limit() const { return device_ == nullptr ? 0 : device_->left_to_cases(); }
  int64_t device_bytes_in_use() const;
  int places_in_use() const;

 private:
  absl::StatusOr<Ticket> Take(int64_t bytes, int64_t device_bytes, int places);
  void Release(int64_t bytes, int64_t device_bytes, int places);
  // That stand between a case and its place.
  int64_t MissingBytes(int64_t bytes, int64_t device_bytes) const;
  // What refuses so many bytes of a memory, now or for ever.
  absl::Status Busy(const char* memory, int64_t bytes, int64_t in_use, int64_t limit) const;
  absl::Status TooLarge(const char* memory, int64_t bytes, int64_t limit) const;

  const int64_t byte_limit_;
  const int place_limit_;
  const std::string what_;
  const std::shared_ptr<const DeviceMemory> device_;
  std::function<void(int64_t)> reclaim_;
  mutable std::mutex mu_;
  int64_t bytes_ = 0;         // guarded by mu_
  int64_t device_bytes_ = 0;  // guarded by mu_
  int places_ = 0;            // guarded by mu_
};

/// Three quarters of the memory that this process may use: its container's limit or the machine's.
int64_t DefaultMemoryBudget();

}  // namespace nnseg

#endif  // NNSEG_SERVER_ADMISSION_H_
