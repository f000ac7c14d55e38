#ifndef NNSEG_SERVER_ADMISSION_H_
#define NNSEG_SERVER_ADMISSION_H_

#include <cstdint>
#include <mutex>
#include <utility>

#include "absl/status/statusor.h"

namespace nnseg {

/// Decides, before a voxel is buffered, whether a case may enter: there is a budget of host bytes
/// and a number of places, and each case holds its share of both until its ticket dies.
/// Thread-safe.
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
      return *this;
    }
    ~Ticket() {
      if (admission_ != nullptr) admission_->Release(bytes_);
    }

   private:
    friend class Admission;
    Ticket(Admission& admission, int64_t bytes) : admission_(&admission), bytes_(bytes) {}

    Admission* admission_ = nullptr;
    int64_t bytes_ = 0;
  };

  /// REQUIRES: both at least 1.
  Admission(int64_t byte_limit, int place_limit)
      : byte_limit_(byte_limit), place_limit_(place_limit) {}

  /// RESOURCE_EXHAUSTED when the case is too large for this server, or when there is no room now;
  /// the text tells which, and names got and limit.
  absl::StatusOr<Ticket> Admit(int64_t bytes);

  int64_t byte_limit() const { return byte_limit_; }
  int64_t bytes_in_use() const;
  int places_in_use() const;

 private:
  void Release(int64_t bytes);

  const int64_t byte_limit_;
  const int place_limit_;
  mutable std::mutex mu_;
  int64_t bytes_ = 0;  // guarded by mu_
  int places_ = 0;     // guarded by mu_
};

/// Three quarters of the memory that this process may use: its container's limit or the machine's.
int64_t DefaultMemoryBudget();

}  // namespace nnseg

#endif  // NNSEG_SERVER_ADMISSION_H_
