#include "server/admission.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace nnseg {

void Admission::Ticket::Keep(int64_t bytes) {
  NNSEG_CHECK(admission_ != nullptr && bytes <= bytes_);
  admission_->Release(bytes_ - bytes, places_);
  bytes_ = bytes;
  places_ = 0;
}

absl::StatusOr<Admission::Ticket> Admission::Admit(int64_t bytes) {
  if (const int64_t missing = MissingBytes(bytes); missing > 0 && reclaim_) reclaim_(missing);
  return Take(bytes, 1);
}

absl::StatusOr<Admission::Ticket> Admission::Take(int64_t bytes, int places) {
  if (bytes > byte_limit_) {
    return absl::ResourceExhaustedError(absl::StrCat("the ", what_, " needs ", bytes,
                                                     " bytes, this server has a budget of ",
                                                     byte_limit_, ": too large"));
  }
  std::lock_guard lock(mu_);
  if (places > place_limit_ - places_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("all ", place_limit_, " places for ", what_, "s are taken: try again later"));
  }
  if (bytes > byte_limit_ - bytes_) {
    return absl::ResourceExhaustedError(absl::StrCat("the ", what_, " needs ", bytes, " bytes, ",
                                                     byte_limit_ - bytes_, " of ", byte_limit_,
                                                     " are free: try again later"));
  }
  bytes_ += bytes;
  places_ += places;
  return Ticket(*this, bytes, places);
}

int64_t Admission::MissingBytes(int64_t bytes) const {
  std::lock_guard lock(mu_);
  if (bytes > byte_limit_ || places_ >= place_limit_) return 0;  // it will be refused anyway
  return std::max<int64_t>(0, bytes - (byte_limit_ - bytes_));
}

int64_t Admission::bytes_in_use() const {
  std::lock_guard lock(mu_);
  return bytes_;
}

int Admission::places_in_use() const {
  std::lock_guard lock(mu_);
  return places_;
}

void Admission::Release(int64_t bytes, int places) {
  std::lock_guard lock(mu_);
  bytes_ -= bytes;
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
