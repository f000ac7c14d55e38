#include "server/admission.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace nnseg {

void Admission::Ticket::Keep(int64_t bytes) {
  NNSEG_CHECK(admission_ != nullptr && bytes <= bytes_);
  admission_->Release(bytes_ - bytes, device_bytes_, places_);
  bytes_ = bytes;
  device_bytes_ = 0;
  places_ = 0;
}

absl::StatusOr<Admission::Ticket> Admission::Admit(int64_t bytes, int64_t device_bytes) {
  if (const int64_t missing = MissingBytes(bytes, device_bytes); missing > 0 && reclaim_) {
    reclaim_(missing);
  }
  return Take(bytes, device_bytes, 1);
}

absl::StatusOr<Admission::Ticket> Admission::Take(int64_t bytes, int64_t device_bytes, int places) {
  const int64_t device_limit = device_byte_limit();
  NNSEG_RETURN_IF_ERROR(TooLarge("host", bytes, byte_limit_));
  NNSEG_RETURN_IF_ERROR(TooLarge("device", device_bytes, device_limit));
  std::lock_guard lock(mu_);
  if (places > place_limit_ - places_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("all ", place_limit_, " places for ", what_, "s are taken: try again later"));
  }
  NNSEG_RETURN_IF_ERROR(Busy("host", bytes, bytes_, byte_limit_));
  NNSEG_RETURN_IF_ERROR(Busy("device", device_bytes, device_bytes_, device_limit));
  bytes_ += bytes;
  device_bytes_ += device_bytes;
  places_ += places;
  return Ticket(*this, bytes, device_bytes, places);
}

absl::Status Admission::TooLarge(const char* memory, int64_t bytes, int64_t limit) const {
  if (bytes <= limit) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("the ", what_, " needs ", bytes, " bytes of ",
                                                   memory, " memory, this server has a budget of ",
                                                   limit, ": too large"));
}

absl::Status Admission::Busy(const char* memory, int64_t bytes, int64_t in_use,
                             int64_t limit) const {
  // A limit that has shrunk beneath what is in use is no matter of those who need nothing.
  const int64_t free = std::max<int64_t>(0, limit - in_use);
  if (bytes <= free) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("the ", what_, " needs ", bytes, " bytes of ",
                                                   memory, " memory, ", free, " of ", limit,
                                                   " are free: try again later"));
}

int64_t Admission::MissingBytes(int64_t bytes, int64_t device_bytes) const {
  const int64_t device_limit = device_byte_limit();
  std::lock_guard lock(mu_);
  const bool refused_anyway = bytes > byte_limit_ || places_ >= place_limit_ ||
                              !Busy("device", device_bytes, device_bytes_, device_limit).ok();
  if (refused_anyway) return 0;
  return std::max<int64_t>(0, bytes - (byte_limit_ - bytes_));
}

int64_t Admission::bytes_in_use() const {
  std::lock_guard lock(mu_);
  return bytes_;
}

int64_t Admission::device_bytes_in_use() const {
  std::lock_guard lock(mu_);
  return device_bytes_;
}

int Admission::places_in_use() const {
  std::lock_guard lock(mu_);
  return places_;
}

void Admission::Release(int64_t bytes, int64_t device_bytes, int places) {
  std::lock_guard lock(mu_);
  bytes_ -= bytes;
  device_bytes_ -= device_bytes;
  places_ -= places;
}

int64_t DefaultMemoryBudget() {
  int64_t memory = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
  for (const char* path :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    int64_t limit = 0;
    if (std::ifstream file(path); file >> limit) memory = std::min(memory, limit);
  }
  return memory / 4 * 3;
}

}  // namespace nnseg
