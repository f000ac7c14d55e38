#include "server/admission.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace nnseg {

absl::StatusOr<Admission::Ticket> Admission::Admit(int64_t bytes) {
  if (bytes > byte_limit_) {
    return absl::ResourceExhaustedError(absl::StrCat("the case needs ", bytes,
                                                     " bytes, this server has a budget of ",
                                                     byte_limit_, ": too large"));
  }
  std::lock_guard lock(mu_);
  if (places_ >= place_limit_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("all ", place_limit_, " places for cases are taken: try again later"));
  }
  if (bytes > byte_limit_ - bytes_) {
    return absl::ResourceExhaustedError(absl::StrCat("the case needs ", bytes, " bytes, ",
                                                     byte_limit_ - bytes_, " of ", byte_limit_,
                                                     " are free: try again later"));
  }
  bytes_ += bytes;
  ++places_;
  return Ticket(*this, bytes);
}

int64_t Admission::bytes_in_use() const {
  std::lock_guard lock(mu_);
  return bytes_;
}

int Admission::places_in_use() const {
  std::lock_guard lock(mu_);
  return places_;
}

void Admission::Release(int64_t bytes) {
  std::lock_guard lock(mu_);
  bytes_ -= bytes;
  --places_;
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
